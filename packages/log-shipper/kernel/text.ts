// Lines that are their own record, to entries: but for its text, and its length before that, one is as the other.

import { copy, putTextHeader } from './bytes';
import { commonLength, common } from './line';
import { IN, OUT, OUT_END, RESULTS, SPANS } from './memory';

// The entry of a text up to its value.
let head: i32 = 0;
let headLength: i32 = 0;

export function setHead(place: i32, length: i32): void {
  head = place;
  headLength = length;
}

/** Of the longest text. */
const HEADER_LENGTH: i32 = 3;

/**
 * Makes entries of as many of the lines as there is room for in `room` bytes. Returns how many; where each begins is in
 * RESULTS, a number each, and where the last one ends behind them.
 */
export function texts(lines: i32, room: i32): i32 {
  const most = min(OUT + room, OUT_END);
  let o = OUT;
  let i = 0;
  store<i32>(RESULTS, o);
  for (; i < lines; i++) {
    const start = load<i32>(SPANS + (i << 3)) + IN;
    const length = load<i32>(SPANS + (i << 3) + 4) + IN - start;
    if (length > 0xffff || o + headLength + HEADER_LENGTH + length + commonLength > most) break;
    copy(o, head, headLength);
    o = putTextHeader(o + headLength, length);
    copy(o, start, length);
    o += length;
    copy(o, common, commonLength);
    o += commonLength;
    store<i32>(RESULTS + (i << 2), o, 4);
  }
  return i;
}
