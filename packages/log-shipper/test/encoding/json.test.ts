// A record as JSON is what JSON.stringify makes of its parts, whichever way it is written.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../src/byte-writer.ts';
import { type JsonNames, json, jsonRecord } from '../../src/encoding/json.ts';
import { writeJsonString } from '../../src/encoding/json-string.ts';
import type { Fields, Records } from '../../src/records.ts';
import { jsonLine, refused } from '../transcode/lines.ts';
import { recordsIn, type Way, written } from '../transcode/written.ts';

const added: JsonNames = { timeField: 'time', timeFormat: 'unix-ns', levelField: 'level', uidField: 'a' };
const times = {
  seconds: Float64Array.of(1_700_000_000, Number.NaN, 5, 1e9),
  nanos: Uint32Array.of(120, 0, 5e8, 999_999_999),
};

function texts(
  lines: readonly (string | Buffer)[],
  way: Way,
  { common = {}, names = {} }: { common?: Fields; names?: JsonNames },
) {
  const records = recordsIn(lines, way, common);
  // The same whenever it is asked.
  Object.assign(records, { readAt: 1_700_000_000_123, times, levels: Uint8Array.of(9, 0, 24, 1) });
  return written((all: Records) => jsonRecord(all, names), records).map(String);
}

describe('a line of JSON', () => {
  test('is the same record on bytes and by way of its fields, and on one line', () => {
    const common = fc.constantFrom({}, { env: 'prod' }, { env: 'prod', b: 1, '': null }, { time: 'common' });
    const names = fc.constantFrom({}, added, { levelField: 'a', levelFormat: 'name' } as const, { lineField: 'env' });
    const level = fc.constantFrom('{"level":"own","a":1}', '{"a":1,"level":"own"}', '{ "level" : [1] }', '{"time":1}');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(jsonLine, level), { minLength: 1, maxLength: 4 }),
        common,
        names,
        (lines, all, some) => {
          const [onBytes, byFields] = [
            texts(lines, 'bytes', { common: all, names: some }),
            texts(lines, 'fields', { common: all, names: some }),
          ];
          for (const [at, text] of onBytes.entries()) {
            expect(text).not.toMatch(/[\r\n]/);
            expect(twice(text)).toBe(false);
            // Exact numbers count, how they are spelled does not; and JSON.stringify knows no -0.
            const read = (json: string) => JSON.parse(json, (_key, value) => (value === 0 ? 0 : value));
            expect(read(text)).toEqual(read(byFields[at]!));
          }
        },
      ),
      { numRuns: 500, verbose: 1 },
    );
  });

  test('keeps every digit of every number', () => {
    const line = '{"a":123456789012345678901234567890,"b":0.12345678901234567890,"c":1e999,"d":-0.0}';
    expect(texts([line], 'bytes', { common: { env: 'prod' } })).toEqual([`${line.slice(0, -1)},"env":"prod"}`]);
  });

  test('that is none goes as text, with the reason', () => {
    for (const [at, text] of texts(refused, 'bytes', { names: { levelField: 'level' } }).entries())
      expect(JSON.parse(text)).toMatchObject({ log: refused[at], parse_error: expect.any(String) });
  });

  test('on several lines becomes one', () => {
    expect(texts(['{"a":\n1,\r\n"b":[\n]}'], 'bytes', {})).toEqual(['{"a":1,"b":[]}']);
  });
});

/** Whether an object in it has a key twice: then reading it has lost a member. */
const twice = (text: string): boolean => membersIn(text) !== membersIn(JSON.stringify(JSON.parse(text)));

const membersIn = (text: string): number => text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length;

describe('a line of text', () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((part) => Buffer.from(part));
  const line = fc.oneof(
    bytes,
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  );

  const escaped = (part: Buffer, before: string, behind: string) => {
    const into = new ByteWriter(1);
    const start = Buffer.byteLength(before);
    writeJsonString(into, Buffer.concat([Buffer.from(before), part, Buffer.from(behind)]), start, start + part.length);
    return into.written.toString();
  };

  test('is escaped as JSON.stringify escapes it, whatever is around it', () => {
    fc.assert(
      fc.property(line, fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (part, before, behind) => {
        expect(escaped(part, before, behind)).toBe(JSON.stringify(part.toString()));
      }),
      { numRuns: 1000, verbose: 1 },
    );
  });

  test('of any length is so', () => {
    for (const unit of ['x', 'xyz"', '\u0001', '\\x', 'é', '€uro "s"'])
      for (let length = 4090; length < 4100; length++) {
        const part = Buffer.from(unit.repeat(length));
        expect(escaped(part, 'a', 'bcdefg')).toBe(JSON.stringify(part.toString()));
      }
  });

  test('is one member of its record', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
        const records = recordsIn(lines, 'bytes', { env: 'prod' });
        records.format = 'text';
        const read = written(json, records).map((record) => JSON.parse(String(record)));
        expect(read).toEqual(lines.map((part) => ({ log: part.toString(), env: 'prod' })));
      }),
      { numRuns: 300, verbose: 1 },
    );
  });

  test('has time, level and id where they are asked for, once', () => {
    const records = recordsIn(['one', 'two', 'three', 'four'], 'bytes', { env: 'prod', time: 'x' });
    records.format = 'text';
    Object.assign(records, { readAt: 1_700_000_000_123, times, levels: Uint8Array.of(9, 0, 24, 1) });
    const all = written((each: Records) => jsonRecord(each, { timeField: 'ts', levelField: 'level' }), records);
    expect(all.map(String)).toEqual([
      '{"log":"one","env":"prod","time":"x","ts":"2023-11-14T22:13:20.000000120Z","level":9}',
      '{"log":"two","env":"prod","time":"x","ts":"2023-11-14T22:13:20.123Z"}',
      '{"log":"three","env":"prod","time":"x","ts":"1970-01-01T00:00:05.500Z","level":24}',
      '{"log":"four","env":"prod","time":"x","ts":"2001-09-09T01:46:40.999999999Z","level":1}',
    ]);
  });
});
