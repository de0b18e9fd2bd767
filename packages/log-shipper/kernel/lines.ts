// Where lines end, 64 bytes at a time: most lines are longer than what an instruction looks at.

import { IN, MOST_LINES, SPANS } from './memory';

/** How much of what lies in IN was looked at; -1 where a line was too long. */
export let looked: i32 = 0;

@inline
function newlines(bytes: v128): v128 {
  return i8x16.eq(bytes, i8x16.splat(0x0a));
}

/**
 * Puts start and end of each line that ends in the first `length` bytes of IN into SPANS, as places in what `shift` is the
 * place of IN in. Stops where there is no room for more, and before one that is longer than `limit`. Returns how many.
 */
export function split(length: i32, shift: i32, begin: i32, limit: i32): i32 {
  const end = IN + length;
  const full = SPANS + ((MOST_LINES - 64) << 3);
  let start = begin;
  let n = SPANS;
  let p = IN;
  for (; p < end && n <= full; p += 64) {
    const a = newlines(v128.load(p));
    const b = newlines(v128.load(p, 16));
    const c = newlines(v128.load(p, 32));
    const d = newlines(v128.load(p, 48));
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue;
    let found =
      (i8x16.bitmask(a) as u64) |
      ((i8x16.bitmask(b) as u64) << 16) |
      ((i8x16.bitmask(c) as u64) << 32) |
      ((i8x16.bitmask(d) as u64) << 48);
    for (; found != 0; found &= found - 1) {
      const place = p + (ctz(found) as i32);
      const stop = place - IN + shift;
      if (place >= end) break;
      if (stop - start > limit) {
        looked = -1;
        return (n - SPANS) >> 3;
      }
      store<i32>(n, start);
      store<i32>(n, stop, 4);
      n += 8;
      start = stop + 1;
    }
  }
  looked = min(p, end) - IN;
  return (n - SPANS) >> 3;
}
