// Texts with escapes, as a receiver is to have them.

import { putTextHeader, put16, specials } from './bytes';

/** The quote that ends the text that was read last. */
export let textEnd: i32 = 0;

@inline
function hex(b: i32): i32 {
  const d = b - 0x30;
  if ((d as u32) <= 9) return d;
  const l = (b | 0x20) - 0x61;
  return (l as u32) <= 5 ? l + 10 : -1;
}

/** Four hexadecimal digits, negative if there are none such. */
function unit(p: i32): i32 {
  const a = hex(load<u8>(p));
  const b = hex(load<u8>(p + 1));
  const c = hex(load<u8>(p + 2));
  const d = hex(load<u8>(p + 3));
  if ((a | b | c | d) < 0) return -1;
  return (a << 12) | (b << 8) | (c << 4) | d;
}

/** The quote behind it, 0 if there is none. @param first the first backslash. */
function endOf(first: i32): i32 {
  let p = first;
  let b = load<u8>(p) as i32;
  while (b != 0x22) {
    // Not past the zero behind the line.
    if (b != 0x5c || load<u8>(p + 1) < 0x20) return 0;
    p += 2;
    let m = specials(v128.load(p));
    while (m == 0) {
      p += 16;
      m = specials(v128.load(p));
    }
    p += ctz(m);
    b = load<u8>(p);
  }
  return p;
}

/** What a letter behind a backslash stands for, -1 if it is nothing. */
@inline
function meaningOf(letter: i32): i32 {
  switch (letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter;
    case 0x62:
      return 8;
    case 0x74:
      return 9;
    case 0x6e:
      return 10;
    case 0x66:
      return 12;
    case 0x72:
      return 13;
    default:
      return -1;
  }
}

/** Where the character ends. Half of a surrogate pair has no UTF-8: U+FFFD, as decoders put it. */
function putCharacter(o: i32, code: i32): i32 {
  if (code < 0x80) {
    store<u8>(o, code);
    return o + 1;
  }
  if (code < 0x800) {
    store<u8>(o, 0xc0 | (code >> 6));
    store<u8>(o + 1, 0x80 | (code & 0x3f));
    return o + 2;
  }
  if (code < 0x10000) {
    const character = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
    store<u8>(o, 0xe0 | (character >> 12));
    store<u8>(o + 1, 0x80 | ((character >> 6) & 0x3f));
    store<u8>(o + 2, 0x80 | (character & 0x3f));
    return o + 3;
  }
  store<u8>(o, 0xf0 | (code >> 18));
  store<u8>(o + 1, 0x80 | ((code >> 12) & 0x3f));
  store<u8>(o + 2, 0x80 | ((code >> 6) & 0x3f));
  store<u8>(o + 3, 0x80 | (code & 0x3f));
  return o + 4;
}

/** @param first the first backslash. Returns where the output ends, 0 for what is no text. */
export function putEscaped(start: i32, first: i32, header: i32): i32 {
  const end = endOf(first);
  if (end == 0) return 0;
  // No escape is shorter than what it stands for: a header for the text as it is has room for the length that it will have.
  const begin = putTextHeader(header, end - start);
  let o = begin;
  let p = start;
  while (p < end) {
    const v = v128.load(p);
    v128.store(o, v);
    const m = specials(v);
    if (m == 0) {
      p += 16;
      o += 16;
      continue;
    }
    const k = ctz(m);
    p += k;
    o += k;
    if (p >= end) break;
    const letter = load<u8>(p + 1) as i32;
    p += 2;
    if (letter != 0x75) {
      const meaning = meaningOf(letter);
      if (meaning < 0) return 0;
      store<u8>(o++, meaning);
      continue;
    }
    let code = unit(p);
    if (code < 0) return 0;
    p += 4;
    // \u as the two bytes are read.
    if (code >= 0xd800 && code < 0xdc00 && load<u16>(p) == 0x755c) {
      const second = unit(p + 2);
      if (second >= 0xdc00 && second < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
        p += 6;
      }
    }
    o = putCharacter(o, code);
  }
  const length = o - begin;
  const wide = begin - header;
  if (wide == 1) store<u8>(header, 0xa0 | length);
  else if (wide == 2) store<u8>(header + 1, length);
  else put16(header + 1, length);
  textEnd = end;
  return o;
}
