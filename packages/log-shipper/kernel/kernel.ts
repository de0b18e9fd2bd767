// Bytes to lines, out of a container's envelopes, and to entries of the Forward protocol, a block of lines in a call: what
// src/join/, src/encoding/ and src/transcode/ do in JavaScript, which stays the reference, at a third of its cost and less,
// for there are 16 bytes to an instruction here. Compiled by scripts/kernel.ts to src/transcode/kernel-bytes.ts;
// src/transcode/kernel.ts is the host.

import { prepareMasks, put32 } from './bytes';
import { levelOf } from './levels';
import { commonLength, levelFrom, levelTo, line, timeFrom, timeTo } from './line';
import { IN, OUT, OUT_END, RESULTS, SPANS } from './memory';
import * as names from './names';
import { nanos, NO_TIME, secondsOf } from './times';

export { unwrap } from './cri';
export { addLevel } from './levels';
export { setCommon } from './line';
export { looked, split } from './lines';
export { HEADER, IN, MOST_BYTES, MOST_LINES, MOST_NAMES, MOST_TEXT, RESULTS, SPANS, TEXTS } from './memory';
export { NANOS, SECONDS, STARTS, STOPS, STREAMS } from './memory';
export { addName, clearNames, LEVEL, OMIT, TIME } from './names';
export { setHead, texts } from './text';

/** What stands for the place of a value that was read here. */
const READ: i32 = -1;

/** Nothing but the fields that all have grows by more than `0.5,` does: four bytes become nine. */
const ROOM: i32 = 128;

let readsTimes: bool = false;
let readsLevels: bool = false;

export function seed(a: u64, b: u64): void {
  prepareMasks();
  names.seed(a, b);
}

/** What to make of values that are asked for, whose places are told in any case. */
export function setReaders(times: bool, levels: bool): void {
  readsTimes = times;
  readsLevels = levels;
}

@inline
function noteTime(result: i32, entry: i32): void {
  store<i32>(result + 16, timeFrom);
  store<i32>(result + 20, timeTo);
  if (timeFrom == 0 || !readsTimes || load<u8>(timeFrom) != 0x22) return;
  const seconds = secondsOf(timeFrom + 1, timeTo - 1);
  if (seconds == NO_TIME) return;
  store<f64>(result + 8, seconds as f64);
  store<i32>(result + 16, READ);
  store<i32>(result + 20, nanos);
  // Seconds are unsigned and of 32 bits: nothing before 1970 or after 2106 can be said.
  put32(entry + 3, seconds < 0 ? 0 : seconds > 0xffffffff ? -1 : (seconds as i32));
  put32(entry + 7, nanos);
}

@inline
function noteLevel(result: i32): void {
  store<i32>(result + 24, levelFrom);
  store<i32>(result + 28, levelTo);
  if (levelFrom == 0 || !readsLevels) return;
  const quoted = load<u8>(levelFrom) == 0x22;
  const level = quoted ? levelOf(levelFrom + 1, levelTo - levelFrom - 2) : levelOf(levelFrom, levelTo - levelFrom);
  if (level == 0) return;
  store<i32>(result + 24, READ);
  store<i32>(result + 28, level);
}

/** Makes entries of as many of the lines as there is room for. Returns how many. */
export function run(lines: i32): i32 {
  let o = OUT;
  for (let i = 0; i < lines; i++) {
    const start = load<i32>(SPANS + (i << 3)) + IN;
    const end = load<i32>(SPANS + (i << 3) + 4) + IN;
    if (o + (((end - start) * 9) >> 2) + commonLength + ROOM > OUT_END) return i;
    const result = RESULTS + (i << 5);
    // A line that is open must not be continued by the next one, nor may it cost what that one does.
    const behind = load<u8>(end);
    store<u8>(end, 0);
    const stop = line(start, end, o);
    store<u8>(end, behind);
    store<i32>(result, o);
    store<i32>(result + 4, stop);
    if (stop == 0) continue;
    noteTime(result, o);
    noteLevel(result);
    o = stop;
  }
  return lines;
}
