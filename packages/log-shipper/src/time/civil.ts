// Days and seconds of the calendar, by arithmetic: a Date for each line costs five times as much.

/** A time as it is read: written again and again, so that reading one costs no object. */
export type Moment = { seconds: number; nanos: number };

/** Days since 1970-01-01 of a day of the Gregorian calendar; `month` from 1. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years begin in March here, so that a leap day is the last of its year.
  const years = month > 2 ? year : year - 1;
  const era = Math.floor(years / 400);
  const ofEra = years - era * 400;
  const ofYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1;
  return era * 146_097 + ofEra * 365 + ((ofEra / 4) | 0) - ((ofEra / 100) | 0) + ofYear - 719_468;
}

const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export const isDay = (year: number, month: number, day: number) =>
  month >= 1 && month <= 12 && day >= 1 && day <= (month === 2 && isLeap(year) ? 29 : lengths[month - 1]!);

/** Second 60 is a leap second: it is the same instant as the next second, as POSIX has it. */
export const isClock = (hour: number, minute: number, second: number) =>
  hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;

/** Two digits, or -1 (or less) where they are none. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  // Below zero is beyond nine as an unsigned number.
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

export const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Where digits end. */
export function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && isDigit(bytes[to])) to++;
  return to;
}

const scales = [1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1];

/** The digits of a fraction as nanoseconds; what is finer than that is cut off. */
export function nanosOf(bytes: Uint8Array, start: number, end: number): number {
  const stop = Math.min(end, start + 9);
  let value = 0;
  for (let at = start; at < stop; at++) value = value * 10 + bytes[at]! - 0x30;
  return value * scales[stop - start]!;
}
