// Lines of a container's log that are whole: 2016-10-06T00:17:09.669794202Z stdout F content.

import { IN, NANOS, SECONDS, SPANS, STARTS, STOPS, STREAMS } from './memory';
import { nanos, NO_TIME, secondsOf } from './times';

const OUT_TEXT: u64 = 0x2074756f64747320; // " stdout "
const ERR_TEXT: u64 = 0x2072726564747320; // " stderr "

/** Stdout is 1, as the host has it. */
@inline
function streamOf(text: u64): i32 {
  return text == OUT_TEXT ? 1 : text == ERR_TEXT ? 2 : 0;
}

/**
 * Opens the envelopes of lines in SPANS, which are places in what `shift` is the place of IN in: their contents are there
 * afterwards, and the rest in columns. Stops before a line that is for the host, or longer than `limit`. Returns how many.
 */
export function unwrap(lines: i32, shift: i32, limit: i32): i32 {
  for (let i = 0; i < lines; i++) {
    const span = SPANS + (i << 3);
    const start = load<i32>(span) - shift + IN;
    const end = load<i32>(span, 4) - shift + IN;
    // No time is shorter than 20 bytes; one of more than 35 is for the host.
    const spaces = i8x16.bitmask(i8x16.eq(v128.load(start, 20), i8x16.splat(0x20)));
    if (spaces == 0) return i;
    const at = start + 20 + ctz(spaces);
    if (at + 9 > end || load<u8>(at, 8) != 0x46) return i;
    const stream = streamOf(load<u64>(at));
    if (stream == 0 || (at + 9 < end && load<u8>(at, 9) != 0x20)) return i;
    const from = min(at + 10, end);
    if (end - from > limit) return i;
    const seconds = secondsOf(start, at);
    if (seconds == NO_TIME) return i;
    store<f64>(SECONDS + (i << 3), seconds as f64);
    store<i32>(NANOS + (i << 2), nanos);
    store<i32>(STARTS + (i << 2), start - IN + shift);
    store<i32>(STOPS + (i << 2), end + 1 - IN + shift);
    store<u8>(STREAMS + i, stream);
    store<i32>(span, from - IN + shift);
  }
  return lines;
}
