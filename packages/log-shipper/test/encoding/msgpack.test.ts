// Entries of the Forward protocol: their times, and lines that are not UTF-8.

import { describe, expect, test } from 'vitest';
import { json } from '../../src/encoding/json.ts';
import { msgpack } from '../../src/encoding/msgpack.ts';
import type { Sought } from '../../src/transcode/sought.ts';
import { readStrictly } from '../transcode/strict.ts';
import { recordsIn, written } from '../transcode/written.ts';

const entriesOf = (records: ReturnType<typeof recordsIn>) =>
  written(msgpack, records).map((bytes) => readStrictly(bytes)[0] as [{ seconds: number; nanos: number }, object]);

describe('the time of an entry', () => {
  const own = { seconds: Float64Array.of(-5, 2 ** 32, 1_700_000_000, Number.NaN), nanos: Uint32Array.of(7, 0, 4e9, 9) };

  test.each(['text', 'json'] as const)('of %s is one that receivers take, whatever was found', (format) => {
    const records = recordsIn(['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}'], 'bytes');
    Object.assign(records, { format, times: own, readAt: 1_600_000_000_123 });
    expect(entriesOf(records).map(([time]) => time)).toEqual([
      { seconds: 0, nanos: 7 },
      { seconds: 0xffffffff, nanos: 0 },
      { seconds: 1_700_000_000, nanos: 999_999_999 },
      { seconds: 1_600_000_000, nanos: 123_000_000 },
    ]);
  });

  test('and its level are found in the line, whether it stays bytes or not', () => {
    const lines = [
      '{"ts":17,"msg":"one","lvl":"warn"}',
      // A text without its quotes, in front or behind.
      '{"lvl":"info", "ts" : "18" }',
      // Keys that have to be looked at as strings.
      '{"ts":1,"\\u0074s":19,"lvl":"info","lvl":"warn"}',
      '{"ts":null,"lvl":[1]}',
      '{"deep":{"ts":5,"lvl":"warn"}}',
      'no object at all',
    ];
    const records = recordsIn(lines, 'bytes');
    Object.assign(records, { readAt: 99_000 });
    records.sought = sought;
    const entries = entriesOf(records);
    expect(entries.map(([{ seconds }]) => seconds)).toEqual([17, 18, 19, 99, 99, 99]);
    expect(lines.map((_, index) => records.level(index))).toEqual([13, 9, 13, 0, 0, 0]);
  });

  const sought: Sought = {
    timeField: 'ts',
    readTime(bytes, start, end, into) {
      const digits = bytes.toString('latin1', start, end);
      if (!/^\d+$/.test(digits)) return false;
      into.seconds = Number(digits);
      into.nanos = 0;
      return true;
    },
    levelField: 'lvl',
    readLevel: (bytes, start, end) => ({ info: 9, warn: 13 })[bytes.toString('latin1', start, end)] ?? 0,
  };
});

describe('lines that are not UTF-8', () => {
  const broken = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xc3, 0x22, 0x7d]);

  test.each(['text', 'json'] as const)('of %s are repaired, counted, and no others touched', (format) => {
    for (const encoding of [msgpack, json]) {
      const records = recordsIn(['{"a":"é"}', broken, '{"a":"b"}'], 'bytes');
      records.format = format;
      const all = written(encoding, records).map((bytes) =>
        encoding === json ? JSON.parse(String(bytes)) : (readStrictly(bytes)[0] as unknown[])[1],
      );
      const values = ['é', '\ufffd\ufffd', 'b'];
      expect(all).toEqual(values.map((a) => (format === 'json' ? { a } : { log: JSON.stringify({ a }) })));
      expect(records.repaired).toBe(1);
    }
  });

  test('are counted once each, where they are no JSON too', () => {
    for (const encoding of [msgpack, json]) {
      const records = recordsIn([broken, broken.subarray(0, 8), broken.subarray(0, 7), broken], 'bytes');
      written(encoding, records);
      expect([records.repaired, records.failures]).toEqual([4, 2]);
    }
  });

  test('are repaired too where the line was changed', () => {
    for (const encoding of [msgpack, json]) {
      const records = recordsIn(['{"a":"b"}', '{"a":"c"}'], 'bytes');
      records.replaced = new Map([[1, broken]]);
      const all = written(encoding, records).map((bytes) =>
        encoding === json ? JSON.parse(String(bytes)) : (readStrictly(bytes)[0] as unknown[])[1],
      );
      expect(all).toEqual([{ a: 'b' }, { a: '\ufffd\ufffd' }]);
      expect(records.repaired).toBe(1);
    }
  });
});
