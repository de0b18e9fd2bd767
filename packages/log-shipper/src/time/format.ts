// Times in a form that the user says, as strptime does: %d/%b/%Y:%H:%M:%S %z. A form is compiled once to a list
// of steps. Measured: about what Date.parse takes, six times RFC 3339.

import { daysSinceEpoch, isClock, isDay, type Moment } from './civil.ts';
import { type Reading, type Step, steps } from './directives.ts';
import type { Zone } from './zone.ts';

export type ReadTime = (bytes: Uint8Array, start: number, end: number, into: Moment) => boolean;

const groups: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  c: '%a %b %e %H:%M:%S %Y',
};

/** Throws an Error that says what is expected. A time without a year is in the year that brings it closest to now. */
export function compileFormat(format: string, zone: Zone, now: () => number = Date.now): ReadTime {
  const directives: string[] = [];
  const compiled = compile(
    format.replace(/%([TRDFc])/g, (_, letter: string) => groups[letter]!),
    directives,
  );
  const has = (...letters: string[]) => letters.some((letter) => directives.includes(letter));
  if (!has('s', 'Q') && !(has('d', 'e') && has('m', 'b', 'B', 'h')) && !has('j'))
    throw new Error('a time format with day and month, such as %b %d %H:%M:%S, is expected');
  // Used again for each time: steps leave what they read in it.
  const reading = fresh();
  return (bytes, start, end, into) => {
    forget(reading);
    let at = start;
    for (const step of compiled) {
      at = step(bytes, at, end, reading);
      if (at < 0) return false;
    }
    return at === end && settle(reading, into, zone, now);
  };
}

function compile(format: string, directives: string[]): readonly Step[] {
  const compiled: Step[] = [];
  for (let at = 0; at < format.length; at++) {
    const letter = format[at]!;
    if (letter === '%') {
      const name = format[++at] ?? '';
      const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
      if (!step) throw new Error(`a time format is expected: %${name} is none of %${Object.keys(steps).join(' %')}`);
      directives.push(name);
      compiled.push(step);
    } else compiled.push(/\s/.test(letter) ? steps.n! : literal(Buffer.from(letter)));
  }
  return compiled;
}

const literal =
  (expected: Uint8Array): Step =>
  (bytes, at, end) => {
    for (let index = 0; index < expected.length; index++)
      if (at + index >= end || bytes[at + index] !== expected[index]) return -1;
    return at + expected.length;
  };

const fresh = (): Reading =>
  forget({
    ...{ year: 0, month: 0, day: 0, dayOfYear: 0, hour: 0, minute: 0, second: 0, nanos: 0 },
    ...{ afternoon: 0, offset: 0, epoch: 0, zone: undefined },
  });

/** Half the cost of Object.assign. */
function forget(reading: Reading): Reading {
  reading.year = reading.dayOfYear = reading.afternoon = reading.offset = reading.epoch = Number.NaN;
  reading.month = reading.day = 1;
  reading.hour = reading.minute = reading.second = reading.nanos = 0;
  reading.zone = undefined;
  return reading;
}

function settle(reading: Reading, into: Moment, zone: Zone, now: () => number): boolean {
  into.nanos = reading.nanos;
  if (!Number.isNaN(reading.epoch)) {
    into.seconds = reading.epoch;
    return true;
  }
  const { afternoon, minute, second } = reading;
  if (!Number.isNaN(afternoon) && (reading.hour < 1 || reading.hour > 12)) return false;
  const hour = Number.isNaN(afternoon) ? reading.hour : (reading.hour % 12) + 12 * afternoon;
  if (!isClock(hour, minute, second)) return false;
  const clock = hour * 3600 + minute * 60 + second;
  const year = Number.isNaN(reading.year) ? nearestYear(reading, now()) : reading.year;
  into.seconds = secondsIn(year, reading, clock, zone);
  return !Number.isNaN(into.seconds);
}

function secondsIn(year: number, reading: Reading, clock: number, zone: Zone): number {
  const { month, day, dayOfYear, offset } = reading;
  if (!Number.isNaN(dayOfYear)) {
    const days = daysSinceEpoch(year, 1, 1) + dayOfYear - 1;
    return dayOfYear < 1 || days >= daysSinceEpoch(year + 1, 1, 1) ? Number.NaN : since(days);
  }
  return isDay(year, month, day) ? since(daysSinceEpoch(year, month, day)) : Number.NaN;

  function since(days: number): number {
    const local = days * 86_400 + clock;
    return Number.isNaN(offset) ? (reading.zone ?? zone)(local) : local - offset;
  }
}

/** On New Year's Eve the line that is read first may be of the year that was, or of the one that a faster clock has already. */
function nearestYear({ month, day }: Reading, now: number): number {
  const year = new Date(now).getUTCFullYear();
  // The 29th of February may be up to eight years away.
  const most = month === 2 && day === 29 ? 8 : 1;
  let best = Number.NaN;
  let least = Number.POSITIVE_INFINITY;
  for (let candidate = year - most; candidate <= year + 1; candidate++) {
    // To the day is enough, and asks no zone.
    const away = isDay(candidate, month, day)
      ? Math.abs(daysSinceEpoch(candidate, month, day) - now / 86_400_000)
      : least;
    if (away < least) [best, least] = [candidate, away];
  }
  return best;
}
