// Levels by the words that the host has read as such before: a log has few.

import { LEVELS } from './memory';

/** Up to 8 bytes as one number. */
@inline
function wordOf(from: i32, length: i32): u64 {
  return load<u64>(from) & ((-1 as u64) >> ((64 - (length << 3)) as u64));
}

/** One for each way to begin. */
@inline
function entryOf(from: i32): i32 {
  return LEVELS + (((load<u8>(from) as i32) & 31) << 4);
}

export function addLevel(from: i32, length: i32, level: i32): void {
  if (length <= 0 || length > 8) return;
  const entry = entryOf(from);
  store<u64>(entry, wordOf(from, length));
  store<i32>(entry + 8, level);
}

/** The level that a word is, 0 for one that is not known. */
@inline
export function levelOf(from: i32, length: i32): i32 {
  if (length <= 0 || length > 8) return 0;
  const entry = entryOf(from);
  return load<u64>(entry) == wordOf(from, length) ? load<i32>(entry + 8) : 0;
}
