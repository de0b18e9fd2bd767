import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeReader } from '../../src/time/time.ts';
import { zoneOf } from '../../src/time/zone.ts';

const now = () => Date.UTC(2024, 5, 15);

/** As text, from a field and from bytes in the midst of others, which must agree; undefined for what is no time. */
function read(text: string, format = 'auto', { zone = 'UTC', at = now }: { zone?: string; at?: () => number } = {}) {
  const reader = timeReader(format, zoneOf(zone), at);
  const ofText = { seconds: 0, nanos: 0 };
  const ofBytes = { seconds: 0, nanos: 0 };
  const isTime = reader.of(text, ofText);
  // What lies behind could continue it, and must not be looked at.
  for (const behind of ['"', '.5', '0', 'Z', '-', ':00']) {
    const bytes = Buffer.from(`"2024${text}${behind}`);
    expect(reader.read(bytes, 5, 5 + Buffer.byteLength(text), ofBytes)).toBe(isTime);
    if (isTime) expect(ofBytes).toEqual(ofText);
  }
  return isTime ? show(ofText) : undefined;
}

const show = ({ seconds, nanos }: { seconds: number; nanos: number }) =>
  `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}`;

const expected = '2024-03-01T10:20:30.000000000';

describe('all forms of one instant', () => {
  const forms: [format: string, ...texts: string[]][] = [
    [
      'rfc3339',
      '2024-03-01T10:20:30Z',
      '2024-03-01t10:20:30z',
      '2024-03-01 10:20:30',
      '2024-03-01 10:20:30 UTC',
      '2024-03-01 12:20:30+02:00',
      '2024-03-01 12:20:30 +0200',
      '2024-03-01T12:20:30+02',
      '2024-02-29T22:50:30.0-11:30',
      '2024-03-01T10:20:30,000',
    ],
    ['unix', '1709288430', '1709288430.0', '1709288430000', '1709288430000000', '1709288430000000000'],
    ['unix-s', '1709288430'],
    ['unix-ms', '1709288430000'],
    ['unix-us', '1709288430000000'],
    ['unix-ns', '1709288430000000000'],
    ['clf', '01/Mar/2024:10:20:30 +0000', '01/Mar/2024:02:20:30 -0800'],
    ['rfc3164', 'Mar  1 10:20:30', 'Mar 01 10:20:30'],
    ['rfc1123', 'Fri, 01 Mar 2024 10:20:30 GMT'],
    ['apache', 'Fri Mar 01 10:20:30.000000 2024'],
    ['ctime', 'Fri Mar  1 10:20:30 2024'],
    ['nginx', '2024/03/01 10:20:30'],
    ['klog', '0301 10:20:30.000000'],
    ['%d.%m.%Y %H:%M:%S', '01.03.2024 10:20:30'],
    ['%m/%d/%y %I:%M:%S %p', '03/01/24 10:20:30 AM', '3/1/24 10:20:30 am'],
    ['%F %T.%L %z', '2024-03-01 10:20:30.000 Z', '2024-03-01 11:20:30.000 +01:00'],
    ['%A, %d %B %Y %T %Z', 'Friday, 01 March 2024 10:20:30 UTC', 'Friday, 01 March 2024 05:20:30 EST'],
    ['%F %T %Z', '2024-03-01 11:20:30 Europe/Berlin'],
    ['%Y-%j %R:%S', '2024-061 10:20:30'],
    ['%s.%N', '1709288430.000'],
    ['%Q%%', '1709288430000%'],
    ['\u00e9%F %T', '\u00e92024-03-01 10:20:30'],
  ];
  for (const [format, ...texts] of forms)
    test.for(texts)(`${format}: %s`, (text) => {
      expect(read(text, format)).toBe(expected);
      if (!format.includes('%') && format !== 'unix') expect(read(text, 'auto')).toBe(expected);
    });
});

test('fractions, to the nanosecond', () => {
  const fraction = (text: string, format?: string) => read(text, format)?.slice(20);
  expect(fraction('2024-03-01T10:20:30.1Z')).toBe('100000000');
  expect(fraction('2024-03-01T10:20:30.123456789Z')).toBe('123456789');
  expect(fraction('2024-03-01T10:20:30.1234567899+01:00')).toBe('123456789');
  expect(fraction('1709288430.123456789')).toBe('123456789');
  expect(fraction('1709288430123.5')).toBe('123500000');
  expect(fraction('1709288430123456789')).toBe('123456789');
  expect(fraction('5', 'unix-ms')).toBe('005000000');
  expect(fraction('0301 10:20:30.000007')).toBe('000007000');
  expect(fraction('2024-03-01 10:20:30,123')).toBe('123000000');
});

test.for([
  '',
  '-',
  '.',
  '1e9',
  'yesterday',
  '2024-03-01',
  '2024-03-01T10:20',
  '2024-13-01T10:20:30Z',
  '2023-02-29T10:20:30Z',
  '2024-03-01T24:00:00Z',
  '2024-03-01T10:60:30Z',
  '2024-03-01T10:20:61Z',
  '2024-03-01T10:20:30.Z',
  '2024-03-01T10:20:30+2',
  '2024-03-01T10:20:30+02:60',
  '2024-03-01T10:20:30+24:00',
  '2024-03-01T10:20:30Zx',
  '2024-0x-01T10:20:30Z',
  '99999999999999999999999',
  '00/Mar/2024:10:20:30 +0000',
  '31/Apr/2024:10:20:30 +0000',
  'Foo  1 10:20:30',
  'Mar  1 10:20:3',
  'Mar 32 10:20:30',
  '\u00e9\u00e9\u00e9\u00e9-03-01T10:20:30Z',
  'x'.repeat(200),
])('%s is no time', (text) => {
  expect(read(text)).toBe(undefined);
});

test('numbers, by how large they are', () => {
  const reader = timeReader('auto');
  const into = { seconds: 0, nanos: 0 };
  const of = (value: unknown) => (reader.of(value, into) ? show(into) : undefined);
  expect(of(1709288430)).toBe(expected);
  expect(of(1709288430.25)).toBe('2024-03-01T10:20:30.250000000');
  expect(of(1709288430123)).toBe('2024-03-01T10:20:30.123000000');
  expect(of(1709288430123.25)).toBe('2024-03-01T10:20:30.123250000');
  expect(of(1709288430123456)).toBe('2024-03-01T10:20:30.123456000');
  expect(of(JSON.rawJSON('1709288430123456789'))).toBe('2024-03-01T10:20:30.123456789');
  expect(of(-1)).toBe('1969-12-31T23:59:59.000000000');
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, null, undefined, true, {}, []])
    expect(of(value)).toBe(undefined);
  expect(timeReader('rfc3339').of(1709288430, into)).toBe(false);
});

test('a leap second is the next second', () => {
  expect(read('2016-12-31T23:59:60.5Z')).toBe('2017-01-01T00:00:00.500000000');
});

describe('a time without a year is in the year that brings it closest to now', () => {
  const eve = () => Date.UTC(2024, 11, 31, 23, 59);
  const newYear = () => Date.UTC(2025, 0, 1, 0, 1);
  test.for([
    ['Dec 31 23:58:00', newYear, '2024-12-31T23:58:00'],
    ['Jan  1 00:00:05', eve, '2025-01-01T00:00:05'],
    ['Dec 31 23:58:00', eve, '2024-12-31T23:58:00'],
    ['Jan  1 00:00:05', newYear, '2025-01-01T00:00:05'],
    ['Feb 29 12:00:00', newYear, '2024-02-29T12:00:00'],
    ['Feb 29 12:00:00', () => Date.UTC(2026, 0, 1), '2024-02-29T12:00:00'],
  ] as const)('%s', ([text, at, result]) => {
    expect(read(text, 'rfc3164', { at })).toBe(`${result}.000000000`);
  });
});

describe('zones', () => {
  const berlin = { zone: 'Europe/Berlin' };
  test('winter and summer', () => {
    expect(read('2024-01-15 12:00:00', 'auto', berlin)).toBe('2024-01-15T11:00:00.000000000');
    expect(read('2024-07-15 12:00:00', 'auto', berlin)).toBe('2024-07-15T10:00:00.000000000');
    expect(read('Jul 15 12:00:00', 'auto', berlin)).toBe('2024-07-15T10:00:00.000000000');
  });
  test('a time that says its own keeps it', () => {
    expect(read('2024-07-15 12:00:00Z', 'auto', berlin)).toBe('2024-07-15T12:00:00.000000000');
  });
  test('what comes twice is the first of the two', () => {
    expect(read('2024-10-27 02:30:00', 'auto', berlin)).toBe('2024-10-27T00:30:00.000000000');
    expect(read('2024-11-03 01:30:00', 'auto', { zone: 'America/New_York' })).toBe('2024-11-03T05:30:00.000000000');
  });
  test('what never comes is as if clocks had not been set forward', () => {
    expect(read('2024-03-31 02:30:00', 'auto', berlin)).toBe('2024-03-31T01:30:00.000000000');
  });
  test('zones of no whole hour', () => {
    expect(read('2024-07-15 12:00:00', 'auto', { zone: 'Asia/Kathmandu' })).toBe('2024-07-15T06:15:00.000000000');
    expect(read('2024-07-15 12:00:00', 'auto', { zone: 'Australia/Lord_Howe' })).toBe('2024-07-15T01:30:00.000000000');
  });
  test('one that nobody knows is refused', () => {
    expect(() => zoneOf('Europe/Nowhere')).toThrow('a time zone such as');
  });
  test.for(['Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Apia'])(
    '%s: every half hour of a year is read as Intl writes it',
    (name) => {
      const write = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
      const zone = zoneOf(name);
      let twice = 0;
      for (let seconds = Date.UTC(2011, 0, 1) / 1000; seconds < Date.UTC(2012, 0, 15) / 1000; seconds += 1800) {
        const local = Date.parse(`${write.format(seconds * 1000).replace(' ', 'T')}Z`) / 1000;
        // Written twice where clocks were set back: read as the first.
        if (zone(local) !== seconds) twice++;
        expect(write.format(zone(local) * 1000)).toBe(write.format(seconds * 1000));
      }
      expect(twice).toBeLessThanOrEqual(4);
    },
  );
});

test.for(['%q', '%', 'whenever', '%H:%M:%S', 'unix-days', '%Y'])('the format %s is refused', (format) => {
  expect(() => timeReader(format)).toThrow('is expected');
});

// A run that fails prints its seed and the smallest counterexample.
test('RFC 3339 is read as Date.parse does', () => {
  const moment = fc.record({
    seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
    millis: fc.integer({ min: 0, max: 999 }),
    offset: fc.integer({ min: -1439, max: 1439 }),
  });
  const into = { seconds: 0, nanos: 0 };
  const reader = timeReader('auto');
  fc.assert(
    fc.property(moment, ({ seconds, millis, offset }) => {
      const sign = offset < 0 ? '-' : '+';
      const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
        String(n).padStart(2, '0'),
      );
      const text = `${new Date(seconds * 1000 + millis).toISOString().slice(0, -1)}${sign}${hours}:${minutes}`;
      expect(reader.of(text, into)).toBe(true);
      expect(into.seconds * 1000 + into.nanos / 1e6).toBe(Date.parse(text));
    }),
    { numRuns: 2000, verbose: 1 },
  );
});

test('whatever the bytes are, nothing is thrown and nothing behind them is read', () => {
  const formats = ['auto', 'rfc3339', 'unix', 'clf', 'rfc3164', 'klog', '%F %T.%f %z', '%A %B %p %Z %y'].map(
    (format) => (format.startsWith('%A') ? timeReader(`${format} %d`) : timeReader(format)),
  );
  const text = fc.string({ unit: fc.constantFrom(...'0123456789-:.,/ TZ+JanFebMonUTC\u00e9'), maxLength: 40 });
  fc.assert(
    fc.property(text, fc.string({ maxLength: 5 }), (inside, behind) => {
      const bytes = Buffer.from(inside);
      const longer = Buffer.from(inside + behind);
      for (const { read } of formats) {
        const [one, other] = [
          { seconds: 0, nanos: 0 },
          { seconds: 0, nanos: 0 },
        ];
        expect(read(bytes, 0, bytes.length, one)).toBe(read(longer, 0, bytes.length, other));
        expect(one).toEqual(other);
      }
    }),
    { numRuns: 3000, verbose: 1 },
  );
});
