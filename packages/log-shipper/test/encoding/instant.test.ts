// Times as receivers want them.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/byte-writer.ts';
import { formatInstant, InstantMember, type TimeFormat } from '../../src/encoding/instant.ts';

const formats: readonly TimeFormat[] = ['rfc3339', 'unix', 'unix-ms', 'unix-ns'];

test('each format has its own text', () => {
  const instant = { seconds: 1_700_000_000, nanos: 1_002_003 };
  const all = formats.map((format) => JSON.stringify(formatInstant(instant, format)));
  expect(all).toEqual([
    '"2023-11-14T22:13:20.001002003Z"',
    '1700000000.001002003',
    '1700000000001',
    '"1700000000001002003"',
  ]);
});

test('before 1970 too, nanoseconds count forward', () => {
  const instant = { seconds: -2, nanos: 500_000_000 };
  const all = formats.map((format) => JSON.stringify(formatInstant(instant, format)));
  expect(all).toEqual(['"1969-12-31T23:59:58.500Z"', '-1.500', '-1500', '"-1500000000"']);
});

test('what no calendar has is the nearest that it has', () => {
  expect(formatInstant({ seconds: 1e300, nanos: 4e9 }, 'rfc3339')).toBe('9999-12-31T23:59:59.999999999Z');
  expect(formatInstant({ seconds: -1e300, nanos: 0 }, 'rfc3339')).toBe('0001-01-01T00:00:00.000Z');
});

test('one behind the other, they are what they are one by one', () => {
  const seconds = fc.oneof(
    fc.integer({ min: -2, max: 2 }),
    fc.integer({ min: 1_700_000_000, max: 1_700_000_001 }),
    fc.integer(),
  );
  const nanos = fc.oneof(
    fc.integer({ min: 0, max: 999 }).map((ms) => ms * 1_000_000),
    fc.integer({ min: 0, max: 999_999_999 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...formats), fc.array(fc.record({ seconds, nanos })), (format, instants) => {
      const member = new InstantMember('a"b', format);
      for (const instant of instants) {
        const into = new ByteWriter(1);
        member.write(instant, into);
        expect(into.written.toString()).toBe(`"a\\"b":${JSON.stringify(formatInstant(instant, format))}`);
      }
    }),
    { numRuns: 300, verbose: 1 },
  );
});
