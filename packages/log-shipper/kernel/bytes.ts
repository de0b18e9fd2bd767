// Sixteen bytes at a time. What is called for each value is inlined: a call would cost as much as what it does.

import { MASKS } from './memory';

export function prepareMasks(): void {
  v128.store(MASKS, i8x16.splat(-1));
  v128.store(MASKS + 16, i8x16.splat(0));
}

/** Its first bytes alone. */
@inline
export function masked(bytes: v128, count: i32): v128 {
  return v128.and(bytes, v128.load(MASKS + 16 - count));
}

/** A bit for each byte that ends a run of plain characters in JSON: a quote, a backslash, a control character. */
@inline
export function specials(bytes: v128): i32 {
  return i8x16.bitmask(
    v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
      i8x16.lt_u(bytes, i8x16.splat(0x20)),
    ),
  );
}

/** Past white space. The zero behind a line ends it. */
export function past(start: i32): i32 {
  let p = start;
  let b = load<u8>(p) as i32;
  while (b == 0x20 || b == 0x0a || b == 0x0d || b == 0x09) b = load<u8>(++p);
  return p;
}

/** The same where there is none, nearly always. */
@inline
export function space(p: i32): i32 {
  return (load<u8>(p) as i32) > 0x20 ? p : past(p);
}

/** Up to 15 bytes behind them in `to` are not kept. */
@inline
export function copy(to: i32, from: i32, count: i32): void {
  for (let i = 0; i < count; i += 16) v128.store(to + i, v128.load(from + i));
}

@inline
export function put16(at: i32, value: i32): void {
  store<u16>(at, bswap<u16>(value as u16));
}

@inline
export function put32(at: i32, value: i32): void {
  store<u32>(at, bswap<u32>(value as u32));
}

/** Of a text of less than 64 KiB. */
@inline
export function putTextHeader(at: i32, length: i32): i32 {
  if (length < 32) {
    store<u8>(at, 0xa0 | length);
    return at + 1;
  }
  if (length < 0x100) {
    store<u8>(at, 0xd9);
    store<u8>(at + 1, length);
    return at + 2;
  }
  store<u8>(at, 0xda);
  put16(at + 1, length);
  return at + 3;
}

/** Makes a header one of two more bytes once the count is known: most maps and lists have less than 16. Returns the new end. */
export function widen(place: i32, end: i32, count: i32, wide: i32): i32 {
  memory.copy(place + 3, place + 1, end - place - 1);
  store<u8>(place, wide);
  put16(place + 1, count);
  return end + 2;
}
