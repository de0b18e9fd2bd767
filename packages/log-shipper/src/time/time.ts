// Times by the name of their format, from bytes or from what a field holds.

import type { Moment } from './civil.ts';
import { compileFormat, type ReadTime } from './format.ts';
import { readRfc3339 } from './rfc3339.ts';
import { momentOf, readUnix, type UnixUnit } from './unix.ts';
import { utc, type Zone } from './zone.ts';

export type { Moment } from './civil.ts';

/** Formats with a name; any other is one with % in it. */
const named: Readonly<Record<string, string>> = {
  clf: '%d/%b/%Y:%H:%M:%S %z',
  rfc3164: '%b %e %H:%M:%S',
  rfc1123: '%a, %d %b %Y %H:%M:%S %Z',
  apache: '%a %b %d %H:%M:%S.%f %Y',
  ctime: '%a %b %e %H:%M:%S %Y',
  nginx: '%Y/%m/%d %H:%M:%S',
  klog: '%m%d %H:%M:%S.%f',
};

export const timeFormats = [
  'auto',
  'rfc3339',
  'unix',
  'unix-s',
  'unix-ms',
  'unix-us',
  'unix-ns',
  ...Object.keys(named),
];

export type TimeReader = {
  /** Whether the bytes are a time; then `into` has it. */
  readonly read: ReadTime;
  /** Whether RFC 3339 is among what it reads. */
  readonly readsRfc3339: boolean;
  /** The same for what a field holds: text, or a number for those that are numbers. */
  readonly of: (value: unknown, into: Moment) => boolean;
};

/** @param zone for times that say none. Throws an Error that says which formats there are. */
export function timeReader(format: string, zone: Zone = utc, now: () => number = Date.now): TimeReader {
  const read = readerOf(format, zone, now);
  const unit: UnixUnit = format.startsWith('unix-') ? (format.slice(5) as UnixUnit) : 'auto';
  const numbers = format === 'auto' || format.startsWith('unix');
  // Texts are copied here: all formats read bytes.
  const scratch = Buffer.alloc(3 * longest);
  return {
    read,
    readsRfc3339: format === 'auto' || format === 'rfc3339',
    of(value, into) {
      if (typeof value === 'number') return numbers && momentOf(value, into, unit);
      const text = typeof value === 'string' ? value : JSON.isRawJSON(value) ? value.rawJSON : undefined;
      if (text === undefined || text.length > longest) return false;
      return read(scratch, 0, scratch.write(text), into);
    },
  };
}

const longest = 100;

function readerOf(format: string, zone: Zone, now: () => number): ReadTime {
  if (format === 'auto') return anyTime(zone, now);
  if (format === 'rfc3339') return (bytes, start, end, into) => readRfc3339(bytes, start, end, into, zone);
  if (format === 'unix' || format.startsWith('unix-')) {
    const unit = format.slice(5) || 'auto';
    if (timeFormats.includes(format))
      return (bytes, start, end, into) => readUnix(bytes, start, end, into, unit as UnixUnit);
  }
  if (Object.hasOwn(named, format)) return compileFormat(named[format]!, zone, now);
  if (!format.includes('%'))
    throw new Error(`one of ${timeFormats.join(', ')} or a format such as %Y-%m-%d %H:%M:%S.%L is expected`);
  return compileFormat(format, zone, now);
}

/** Which of them it is, by its first characters: none is tried that it cannot be. */
function anyTime(zone: Zone, now: () => number): ReadTime {
  const by = (...formats: string[]): ReadTime => {
    const readers = formats.map((format) => compileFormat(format, zone, now));
    return (...time) => readers.some((read) => read(...time));
  };
  const slashed = by('%Y/%m/%d %H:%M:%S', '%Y/%m/%d %H:%M:%S.%f', '%Y/%m/%d %H:%M:%S %z');
  const dayFirst = by('%d/%b/%Y:%H:%M:%S %z', '%d/%b/%Y %H:%M:%S', '%d %b %Y %H:%M:%S', '%d %b %Y %H:%M:%S.%f');
  const klog = by('%m%d %H:%M:%S.%f');
  const basic = by('%Y%m%dT%H%M%S%z', '%Y%m%dT%H%M%S', '%Y%m%dT%H%M%S.%f%z');
  const weekday = by(
    '%a %b %e %H:%M:%S.%f %Y',
    '%a %b %e %H:%M:%S %Y',
    '%a, %d %b %Y %H:%M:%S %Z',
    '%a, %d %b %Y %H:%M:%S %z',
    '%a %b %e %H:%M:%S %Z %Y',
  );
  const month = by('%b %e %H:%M:%S', '%b %e %Y %H:%M:%S', '%b %e %H:%M:%S.%f', '%b %e %Y %H:%M:%S.%f');
  return (bytes, start, end, into) => {
    // No form is shorter, and nothing behind the end may be looked at.
    if (end - start < 9) return readUnix(bytes, start, end, into, 'auto');
    if (bytes[start + 4] === 0x2d) return readRfc3339(bytes, start, end, into, zone);
    if (bytes[start]! > 0x39) return weekday(bytes, start, end, into) || month(bytes, start, end, into);
    if (bytes[start + 4] === 0x2f) return slashed(bytes, start, end, into);
    if (bytes[start + 4] === 0x20 && bytes[start + 7] === 0x3a) return klog(bytes, start, end, into);
    if (bytes[start + 8] === 0x54) return basic(bytes, start, end, into);
    return readUnix(bytes, start, end, into, 'auto') || dayFirst(bytes, start, end, into);
  };
}
