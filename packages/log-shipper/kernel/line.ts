// One line, which is to be a JSON object, to one entry, in one go: scanned and written at once. What this does not accept is
// for the host to read in its own way, which also knows what to say of it: lines that are wrong, keys with escapes or with
// the hash of another, numbers that a double does not hold.

import { copy, masked, past, putTextHeader, space, specials, widen } from './bytes';
import { HASHES, HASHES_END, HEADER, STACK } from './memory';
import { flagsOf, hashOf, LEVEL, mixed, OMIT, TIME } from './names';
import { numberEnd, putNumber } from './numbers';
import { putEscaped, textEnd } from './texts';

/** How many maps and lists within one another, the object itself left out. */
const DEEPEST: i32 = 99;
/** Keys of a map, four bytes each: each is compared with all before it. */
const MOST_HASHES: i32 = 256;

// Fields that all records have.
export let common: i32 = 0;
export let commonLength: i32 = 0;
let commonCount: i32 = 0;

export function setCommon(place: i32, length: i32, count: i32): void {
  common = place;
  commonLength = length;
  commonCount = count;
}

// Values that were asked for, quotes included; 0 where there is none.
export let timeFrom: i32 = 0;
export let timeTo: i32 = 0;
export let levelFrom: i32 = 0;
export let levelTo: i32 = 0;

/** Where a value lies that was asked for. */
@inline
function note(flags: i32, from: i32, to: i32): void {
  if ((flags & TIME) != 0) {
    timeFrom = from;
    timeTo = to;
  }
  if ((flags & LEVEL) != 0) {
    levelFrom = from;
    levelTo = to;
  }
}

/** What ends the map or list around the place that is read. */
@inline
function closing(isMap: bool): i32 {
  return isMap ? 0x7d : 0x5d;
}

/** Where the entry ends; 0: it is for the host. There has to be a zero at `end`, so that nothing is read across it. */
export function line(start: i32, end: i32, begin: i32): i32 {
  timeFrom = 0;
  levelFrom = 0;
  let p = past(start);
  if (load<u8>(p) != 0x7b) return 0;
  let o = begin;
  v128.store(o, v128.load(HEADER));
  o += 11;
  // Of the map or list that is read: where its header is, how many it has, where its hashes begin.
  let place = o++;
  let count = 0;
  let depth = 0;
  let isMap = true;
  let base = HASHES;
  let top = HASHES;
  // Of the member of the object itself that is read: where it begins in the output, and its value in the line.
  let flags = 0;
  let member = 0;
  let value = 0;
  p = space(p + 1);
  let b = load<u8>(p) as i32;
  let open = b != 0x7d;
  while (open) {
    if (isMap) {
      if (b != 0x22) return 0;
      const from = ++p;
      const key = o;
      const v = v128.load(p);
      let m = specials(v);
      let hash: u32;
      if (m != 0) {
        const n = ctz(m);
        p += n;
        if (load<u8>(p) != 0x22) return 0;
        hash = mixed(masked(v, n), n);
        v128.store(o + 1, v);
        store<u8>(o, 0xa0 | n);
        o += 1 + n;
      } else {
        do {
          p += 16;
          m = specials(v128.load(p));
        } while (m == 0);
        p += ctz(m);
        if (load<u8>(p) != 0x22) return 0;
        const n = p - from;
        hash = hashOf(from, n);
        o = putTextHeader(o, n);
        copy(o, from, n);
        o += n;
      }
      // The same key of this map, or one with its hash: which of two wins is for the host to say.
      const h = i32x4.splat(hash);
      for (let q = base; q < top; q += 16) if (v128.any_true(i32x4.eq(v128.load(q), h))) return 0;
      if ((top & 15) == 0) {
        if (top - base >= MOST_HASHES || top + 16 > HASHES_END) return 0;
        v128.store(top, i32x4.splat(0));
      }
      store<u32>(top, hash);
      top += 4;
      if (depth == 0) {
        member = key;
        flags = flagsOf(hash, from, p - from);
      }
      p++;
      if (load<u8>(p) != 0x3a) {
        p = past(p);
        if (load<u8>(p) != 0x3a) return 0;
      }
      p = space(p + 1);
      b = load<u8>(p);
      if (depth == 0) value = p;
    }
    if (b == 0x22) {
      const from = ++p;
      const v = v128.load(p);
      let m = specials(v);
      const isShort = m != 0;
      if (isShort) {
        v128.store(o + 1, v);
        p += ctz(m);
      } else {
        do {
          p += 16;
          m = specials(v128.load(p));
        } while (m == 0);
        p += ctz(m);
      }
      b = load<u8>(p);
      if (b == 0x22) {
        const n = p - from;
        if (isShort) {
          store<u8>(o, 0xa0 | n);
          o += 1 + n;
        } else {
          o = putTextHeader(o, n);
          copy(o, from, n);
          o += n;
        }
      } else {
        if (b != 0x5c) return 0;
        o = putEscaped(from, p, o);
        if (o == 0) return 0;
        p = textEnd;
      }
      p++;
    } else if (b <= 0x39) {
      o = putNumber(p, o);
      if (o == 0) return 0;
      p = numberEnd;
    } else if ((b | 0x20) == 0x7b) {
      if (depth == DEEPEST) return 0;
      const map = b == 0x7b;
      p = space(p + 1);
      b = load<u8>(p);
      if (b != closing(map)) {
        const s = STACK + (depth << 4);
        store<i32>(s, place);
        store<i32>(s + 4, count);
        // All of these are multiples of 16.
        store<i32>(s + 8, isMap ? base : base | 1);
        store<i32>(s + 12, top);
        depth++;
        place = o++;
        count = 0;
        isMap = map;
        base = (top + 15) & ~15;
        top = base;
        continue;
      }
      store<u8>(o++, map ? 0x80 : 0x90);
      p++;
    } else {
      const letters = load<u32>(p);
      if (letters == 0x65757274) {
        store<u8>(o++, 0xc3);
        p += 4;
      } else if (letters == 0x6c6c756e) {
        store<u8>(o++, 0xc0);
        p += 4;
      } else if (letters == 0x736c6166 && load<u8>(p + 4) == 0x65) {
        store<u8>(o++, 0xc2);
        p += 5;
      } else return 0;
    }
    // A value has ended, and whatever ends with it.
    for (;;) {
      count++;
      if (depth == 0 && flags != 0) {
        note(flags, value, p);
        if ((flags & OMIT) != 0) {
          o = member;
          count--;
        }
        flags = 0;
      }
      p = space(p);
      b = load<u8>(p);
      if (b == 0x2c) break;
      if (b != closing(isMap)) return 0;
      if (depth == 0) {
        open = false;
        break;
      }
      if (count < 16) store<u8>(place, (isMap ? 0x80 : 0x90) | count);
      else o = widen(place, o, count, isMap ? 0xde : 0xdc);
      depth--;
      const s = STACK + (depth << 4);
      place = load<i32>(s);
      count = load<i32>(s + 4);
      base = load<i32>(s + 8);
      isMap = (base & 1) == 0;
      base &= ~1;
      top = load<i32>(s + 12);
      p++;
    }
    if (!open) break;
    p = space(p + 1);
    b = load<u8>(p);
  }
  if (past(p + 1) != end) return 0;
  copy(o, common, commonLength);
  o += commonLength;
  count += commonCount;
  if (count < 16) store<u8>(place, 0x80 | count);
  else o = widen(place, o, count, 0xde);
  return o;
}
