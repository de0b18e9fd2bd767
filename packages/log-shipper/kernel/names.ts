// Keys by their hashes, and the few that matter: what comes under them is left out, or asked for.

import { masked } from './bytes';
import { LIKELY, NAMES } from './memory';

export const OMIT: i32 = 1;
export const TIME: i32 = 2;
export const LEVEL: i32 = 4;

let names: i32 = 0;
// Odd, and the process's own: who writes the lines cannot choose keys that look alike.
let seedA: u64 = 1;
let seedB: u64 = 1;

export function seed(a: u64, b: u64): void {
  seedA = a | 1;
  seedB = b | 1;
}

export function clearNames(): void {
  names = 0;
  memory.fill(LIKELY, 0, 256);
}

export function addName(place: i32, length: i32, flags: i32): void {
  const hash = hashOf(place, length);
  const at = NAMES + 16 * names++;
  store<u32>(at, hash);
  store<i32>(at + 4, place);
  store<i32>(at + 8, length);
  store<i32>(at + 12, flags);
  store<u8>(LIKELY + (hash & 0xff), 1);
}

/** What is to be done with a key of the object itself, 0 for most. */
@inline
export function flagsOf(hash: u32, place: i32, length: i32): i32 {
  return load<u8>(LIKELY + (hash & 0xff)) == 0 ? 0 : flagsOfLikely(hash, place, length);
}

function flagsOfLikely(hash: u32, place: i32, length: i32): i32 {
  for (let k = 0; k < names; k++) {
    const name = NAMES + 16 * k;
    if (load<u32>(name) != hash || load<i32>(name + 8) != length) continue;
    if (memory.compare(load<i32>(name + 4), place, length) == 0) return load<i32>(name + 12);
  }
  return 0;
}

/** Never 0, which is no hash yet. */
@inline
export function mixed(bytes: v128, length: i32): u32 {
  const a = (i64x2.extract_lane(bytes, 0) as u64) ^ (length as u64);
  const h = a * seedA + ((i64x2.extract_lane(bytes, 1) as u64) ^ (a >> 32)) * seedB;
  return ((h >> 32) as u32) ^ (h as u32) | 1;
}

export function hashOf(place: i32, length: i32): u32 {
  if (length <= 16) return mixed(masked(v128.load(place), length), length);
  let h: u32 = 0;
  let p = place;
  const end = place + length;
  for (; p + 16 <= end; p += 16) h = mixed(v128.xor(v128.load(p), i32x4.splat(h)), 16);
  return mixed(v128.xor(masked(v128.load(p), end - p), i32x4.splat(h)), length);
}
