// Times as nearly all programs write them: 2024-01-02T03:04:05.678901234Z or with an offset as +hh:mm. The host reads all
// others. The day is worked out once for all lines of it.

const monthDays = memory.data<u8>([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

export const NO_TIME: i64 = (-1 as i64) << 62;

/** Of the time that was read last. */
export let nanos: i32 = 0;

let dayText: u64 = 0;
let dayEnd: i32 = 0;
let dayValue: i64 = 0;

@inline
function two(p: i32): i32 {
  const a = (load<u8>(p) as i32) - 0x30;
  const b = (load<u8>(p + 1) as i32) - 0x30;
  return (a as u32) > 9 || (b as u32) > 9 ? -10000 : a * 10 + b;
}

/** Whether `dayValue` is now when the day begins. */
function readDay(p: i32): bool {
  if (load<u8>(p + 4) != 0x2d || load<u8>(p + 7) != 0x2d) return false;
  const century = two(p);
  const ofCentury = two(p + 2);
  const year = century * 100 + ofCentury;
  const month = two(p + 5);
  const day = two(p + 8);
  if (century < 0 || ofCentury < 0 || month < 1 || month > 12 || day < 1) return false;
  const leap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > (month == 2 && leap ? 29 : (load<u8>(monthDays + month) as i32))) return false;
  // Years begin in March here, so that a leap day is the last of one.
  const y = month > 2 ? year : year - 1;
  const era = (y >= 0 ? y : y - 399) / 400;
  const ofEra = y - era * 400;
  const ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  dayValue = ((era * 146097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719468) as i64) * 86400;
  return true;
}

/** Seconds since the epoch, NO_TIME for what is not for here. */
export function secondsOf(p: i32, end: i32): i64 {
  if (end - p < 20) return NO_TIME;
  const text = load<u64>(p);
  const rest = load<u16>(p + 8) as i32;
  if (text != dayText || rest != dayEnd) {
    if (!readDay(p)) return NO_TIME;
    dayText = text;
    dayEnd = rest;
  }
  if (load<u8>(p + 10) != 0x54 || load<u8>(p + 13) != 0x3a || load<u8>(p + 16) != 0x3a) return NO_TIME;
  const h = two(p + 11);
  const m = two(p + 14);
  const s = two(p + 17);
  if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) return NO_TIME;
  let at = p + 19;
  let n: i32 = 0;
  let b = load<u8>(at) as i32;
  if (b == 0x2e) {
    const from = ++at;
    let d = (load<u8>(at) as i32) - 0x30;
    while ((d as u32) <= 9) {
      if (at - from < 9) n = n * 10 + d;
      d = (load<u8>(++at) as i32) - 0x30;
    }
    if (at == from) return NO_TIME;
    for (let k = at - from; k < 9; k++) n *= 10;
    b = d + 0x30;
  }
  const offset = offsetOf(at, b, end);
  if (offset == NO_OFFSET) return NO_TIME;
  nanos = n;
  return dayValue + ((h * 3600 + m * 60 + s - offset) as i64);
}

const NO_OFFSET: i32 = i32.MIN_VALUE;

/** Seconds east of Greenwich of what begins with a byte at a place. */
@inline
function offsetOf(at: i32, b: i32, end: i32): i32 {
  if (b == 0x5a) return at + 1 == end ? 0 : NO_OFFSET;
  if ((b != 0x2b && b != 0x2d) || at + 6 != end || load<u8>(at + 3) != 0x3a) return NO_OFFSET;
  const h = two(at + 1);
  const m = two(at + 4);
  if (h < 0 || h > 23 || m < 0 || m > 59) return NO_OFFSET;
  const east = h * 3600 + m * 60;
  return b == 0x2d ? -east : east;
}
