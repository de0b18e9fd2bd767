// Time since the epoch as a number: seconds with or without a fraction, milliseconds, microseconds, nanoseconds.

import { digitsEnd, type Moment, nanosOf } from './civil.ts';
import { numberAt } from './rfc3339.ts';

/** How many digits are below a second; `auto`: by how many there are in all, right from 1973 to 5138. */
export const unixDigits = { auto: undefined, s: 0, ms: 3, us: 6, ns: 9 } as const;
export type UnixUnit = keyof typeof unixDigits;

/** Digit by digit: a double cannot hold the nanoseconds of today. */
export function readUnix(bytes: Uint8Array, start: number, end: number, into: Moment, unit: UnixUnit): boolean {
  const negative = bytes[start] === 0x2d;
  const from = negative ? start + 1 : start;
  const point = digitsEnd(bytes, from, end);
  const count = point - from;
  if (count === 0 || count > 20) return false;
  const below = unixDigits[unit] ?? digitsBelow(count);
  // What is more precise than its unit has a fraction: 1700000000.123 or 1700000000123.5.
  const fractional = point + 1 < end && bytes[point] === 0x2e;
  const fractionEnd = fractional ? digitsEnd(bytes, point + 1, end) : point;
  if (fractionEnd !== end) return false;
  const split = Math.max(from, point - below);
  const seconds = numberAt(bytes, from, split);
  const whole = numberAt(bytes, split, point) * 10 ** (9 - below);
  const nanos = whole + (fractional ? Math.floor(nanosOf(bytes, point + 1, fractionEnd) / 10 ** below) : 0);
  return put(into, negative ? -seconds : seconds, negative ? -nanos : nanos);
}

/** A number as JSON gives it: exact to a microsecond today, which is what doubles hold. */
export function momentOf(value: number, into: Moment, unit: UnixUnit): boolean {
  if (!Number.isFinite(value)) return false;
  const below = unixDigits[unit] ?? digitsBelow(String(Math.trunc(Math.abs(value))).length);
  const perSecond = 10 ** below;
  const seconds = Math.floor(value / perSecond);
  const rest =
    below === 0
      ? Math.round((value - seconds) * 1e6) * 1000
      : Math.round((value - seconds * perSecond) * 10 ** (9 - below));
  return put(into, seconds, rest);
}

const digitsBelow = (count: number) => (count <= 11 ? 0 : count <= 14 ? 3 : count <= 17 ? 6 : 9);

function put(into: Moment, seconds: number, nanos: number): boolean {
  const carry = Math.floor(nanos / 1e9);
  into.seconds = seconds + carry;
  into.nanos = nanos - carry * 1e9;
  return into.seconds >= -6e10 && into.seconds <= 3e11;
}
