// What each letter of a time format reads.

import { digitsEnd, nanosOf } from './civil.ts';
import { numberAt, offsetAt } from './rfc3339.ts';
import { offsetOf, type Zone, zoneOf } from './zone.ts';

/** What has been read of a time so far; NaN for what has not. */
export type Reading = {
  year: number;
  month: number;
  day: number;
  dayOfYear: number;
  hour: number;
  minute: number;
  second: number;
  nanos: number;
  /** 1 after noon on a clock of 12 hours, 0 before. */
  afternoon: number;
  /** Seconds east of Greenwich. */
  offset: number;
  /** Seconds since 1970. */
  epoch: number;
  zone: Zone | undefined;
};

/** Reads at `at` and returns where it ends, -1 when it is not there. */
export type Step = (bytes: Uint8Array, at: number, end: number, reading: Reading) => number;

type NumberName = { [K in keyof Reading]: Reading[K] extends number ? K : never }[keyof Reading];

/** Digits, at most `most` of them, with spaces before them where there are less: %e and %k do so, and nobody minds with others. */
const digits =
  (name: NumberName, most: number, least = 1): Step =>
  (bytes, at, end, reading) => {
    let from = at;
    while (from < at + most - 1 && from < end && bytes[from] === 0x20) from++;
    const to = digitsEnd(bytes, from, Math.min(end, at + most));
    if (to - from < least) return -1;
    reading[name] = numberAt(bytes, from, to);
    return to;
  };

const ofCentury: Step = (bytes, at, end, reading) => {
  const to = digits('year', 2, 2)(bytes, at, end, reading);
  if (to >= 0) reading.year += reading.year < 69 ? 2000 : 1900;
  return to;
};

const fraction: Step = (bytes, at, end, reading) => {
  const to = digitsEnd(bytes, at, end);
  if (to === at) return -1;
  reading.nanos = nanosOf(bytes, at, to);
  return to;
};

const lettersEnd = (bytes: Uint8Array, at: number, end: number) => {
  let to = at;
  while (to < end && (bytes[to]! | 0x20) >= 0x61 && (bytes[to]! | 0x20) <= 0x7a) to++;
  return to;
};

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const keys = (names: readonly string[]) =>
  names.map((name) => (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2));
const monthKeys = keys(months);
const weekdayKeys = keys(weekdays);

/** By its first three letters as one number, so that no string is made. */
function nameAt(bytes: Uint8Array, at: number, keys: readonly number[]): number {
  return keys.indexOf(((bytes[at]! | 0x20) << 16) | ((bytes[at + 1]! | 0x20) << 8) | (bytes[at + 2]! | 0x20));
}

const month =
  (whole: boolean): Step =>
  (bytes, at, end, reading) => {
    const found = at + 3 <= end ? nameAt(bytes, at, monthKeys) : -1;
    reading.month = found + 1;
    return found === -1 ? -1 : whole ? lettersEnd(bytes, at, end) : at + 3;
  };

const weekday =
  (whole: boolean): Step =>
  (bytes, at, end) =>
    at + 3 > end || nameAt(bytes, at, weekdayKeys) === -1 ? -1 : whole ? lettersEnd(bytes, at, end) : at + 3;

const halfOfDay: Step = (bytes, at, end, reading) => {
  const letter = at + 2 <= end && (bytes[at + 1]! | 0x20) === 0x6d ? bytes[at]! | 0x20 : 0;
  if (letter !== 0x61 && letter !== 0x70) return -1;
  reading.afternoon = letter === 0x70 ? 1 : 0;
  return at + 2;
};

const wordEnd = (bytes: Uint8Array, at: number, end: number, stops: (byte: number) => boolean) => {
  let to = at;
  while (to < end && !stops(bytes[to]!)) to++;
  return to;
};

const offset: Step = (bytes, at, end, reading) => {
  // A sign, digits and a colon; or a letter.
  const to = wordEnd(bytes, at + 1, end, (byte) => !(byte >= 0x30 && byte <= 0x3a));
  reading.offset = at < end ? offsetAt(bytes, at, to) : Number.NaN;
  return Number.isNaN(reading.offset) ? -1 : to;
};

const zones = new Map<string, Zone | undefined>();

function zoneNamed(name: string): Zone | undefined {
  // Lines could name ever new ones.
  if (zones.size > 100) zones.clear();
  if (!zones.has(name)) zones.set(name, known(name));
  return zones.get(name);
}

function known(name: string): Zone | undefined {
  const offset = offsetOf(name);
  if (offset !== undefined) return (local) => local - offset;
  try {
    return zoneOf(name);
  } catch {
    return undefined;
  }
}

const zoneName: Step = (bytes, at, end, reading) => {
  const to = wordEnd(bytes, at, end, (byte) => byte <= 0x20 || byte === 0x5d || byte === 0x29);
  reading.zone =
    to > at && to - at < 40 ? zoneNamed(Buffer.from(bytes.subarray(at, to)).toString('latin1')) : undefined;
  return reading.zone ? to : -1;
};

const milliseconds: Step = (bytes, at, end, reading) => {
  const to = digits('epoch', 16)(bytes, at, end, reading);
  reading.nanos = (reading.epoch % 1000) * 1_000_000;
  reading.epoch = Math.floor(reading.epoch / 1000);
  return to;
};

const spaces: Step = (bytes, at, end) => wordEnd(bytes, at, end, (byte) => byte !== 0x20 && byte !== 0x09);

export const steps: Readonly<Record<string, Step>> = {
  Y: digits('year', 4, 4),
  y: ofCentury,
  m: digits('month', 2),
  b: month(false),
  h: month(false),
  B: month(true),
  d: digits('day', 2),
  e: digits('day', 2),
  j: digits('dayOfYear', 3),
  a: weekday(false),
  A: weekday(true),
  H: digits('hour', 2),
  k: digits('hour', 2),
  I: digits('hour', 2),
  l: digits('hour', 2),
  p: halfOfDay,
  M: digits('minute', 2, 2),
  S: digits('second', 2, 2),
  f: fraction,
  L: fraction,
  N: fraction,
  z: offset,
  Z: zoneName,
  s: digits('epoch', 12),
  Q: milliseconds,
  n: spaces,
  t: spaces,
  '%': (bytes, at, end) => (at < end && bytes[at] === 0x25 ? at + 1 : -1),
};
