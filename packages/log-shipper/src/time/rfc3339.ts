// Times as RFC 3339 and ISO 8601 have them, as nearly all programs write them: 2024-01-02T03:04:05.678901234Z, also with
// a space for the T, a comma before the fraction, an offset in any form, or none. Measured: a fifth of what
// Date.parse takes, which needs a string besides.

import { daysSinceEpoch, digitsEnd, isClock, isDay, type Moment, nanosOf, twoDigits } from './civil.ts';
import type { Zone } from './zone.ts';

const [zero, dash, colon, plus, dot, comma, space] = [0x30, 0x2d, 0x3a, 0x2b, 0x2e, 0x2c, 0x20];

/** Whether it is one; then `into` has it. `zone` is for a time that says none. */
export function readRfc3339(bytes: Uint8Array, start: number, end: number, into: Moment, zone: Zone): boolean {
  if (end - start < 19 || bytes[start + 4] !== dash || bytes[start + 7] !== dash) return false;
  if (bytes[start + 13] !== colon || bytes[start + 16] !== colon || !separates(bytes[start + 10]!)) return false;
  const year = word(bytes, start, start + 2);
  const day = word(bytes, start + 5, start + 8);
  const minute = word(bytes, start + 11, start + 14);
  if (year !== last.year || day !== last.day || minute !== last.minute) {
    const seconds = secondsOfMinute(bytes, start);
    if (Number.isNaN(seconds)) return false;
    [last.year, last.day, last.minute, last.seconds] = [year, day, minute, seconds];
  }
  const second = twoDigits(bytes, start + 17);
  if (second < 0 || second > 60) return false;
  let at = start + 19;
  let nanos = 0;
  if (at < end && (bytes[at] === dot || bytes[at] === comma)) {
    const stop = digitsEnd(bytes, at + 1, end);
    if (stop === at + 1) return false;
    nanos = nanosOf(bytes, at + 1, stop);
    at = stop;
  }
  const local = last.seconds + second;
  const seconds = at === end ? zone(local) : local - offsetAt(bytes, at, end);
  if (Number.isNaN(seconds)) return false;
  into.seconds = seconds;
  into.nanos = nanos;
  return true;
}

/** The minute that was read last, by its digits: lines that follow one another are of one minute. */
const last = { year: -1, day: -1, minute: -1, seconds: Number.NaN };

/** Twice two digits as one number. */
const word = (bytes: Uint8Array, a: number, b: number): number =>
  (bytes[a]! << 24) | (bytes[a + 1]! << 16) | (bytes[b]! << 8) | bytes[b + 1]!;

/** When the minute begins, as if it were of UTC; NaN if it is none. */
function secondsOfMinute(bytes: Uint8Array, start: number): number {
  const century = twoDigits(bytes, start);
  const ofCentury = twoDigits(bytes, start + 2);
  const year = century * 100 + ofCentury;
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  if (century < 0 || ofCentury < 0 || !isDay(year, month, day) || !isClock(hour, minute, 0)) return Number.NaN;
  return daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60;
}

// T, t, a space or an underscore.
const separates = (byte: number) => byte === 0x54 || byte === space || byte === 0x74 || byte === 0x5f;

/** Seconds east of Greenwich, NaN for anything but `Z`, `UTC`, `GMT` or an offset up to `end`, with or without a space before it. */
export function offsetAt(bytes: Uint8Array, start: number, end: number): number {
  const at = bytes[start] === space ? start + 1 : start;
  const sign = bytes[at];
  if (sign === plus || sign === dash) return sign === dash ? -east(bytes, at + 1, end) : east(bytes, at + 1, end);
  if (end - at === 1) return (bytes[at]! | 0x20) === 0x7a ? 0 : Number.NaN;
  if (end - at !== 3) return Number.NaN;
  const name = String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!);
  return name === 'UTC' || name === 'GMT' ? 0 : Number.NaN;
}

/** hh, hhmm or hh:mm. */
function east(bytes: Uint8Array, at: number, end: number): number {
  const hours = twoDigits(bytes, at);
  const from = bytes[at + 2] === colon ? at + 3 : at + 2;
  const minutes = end === at + 2 ? 0 : end === from + 2 ? twoDigits(bytes, from) : -1;
  return hours < 0 || hours > 23 || minutes < 0 || minutes > 59 ? Number.NaN : hours * 3600 + minutes * 60;
}

/** Digits of a number that is small enough to be exact. */
export function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + bytes[at]! - zero;
  return value;
}
