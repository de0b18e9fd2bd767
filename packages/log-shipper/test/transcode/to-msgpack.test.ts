// A line that goes to MessagePack on its bytes is the record that JSON.parse makes of it.

import { decodeEntries } from '@fluent-org/logger/build/src/protocol.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { msgpack } from '../../src/encoding/msgpack.ts';
import type { Fields } from '../../src/records.ts';
import { jsonLine, refused } from './lines.ts';
import { readStrictly } from './strict.ts';
import { recordsIn, type Way, written } from './written.ts';

const decoded = (lines: readonly (string | Buffer)[], way: Way, common: Fields = {}) =>
  written(msgpack, recordsIn(lines, way, common)).map((bytes) => {
    const [entry, ...more] = readStrictly(bytes) as [unknown, Fields][];
    expect(more).toEqual([]);
    // What receivers use agrees, but for a key that it refuses.
    if (!bytes.includes('__proto__')) expect(decodeEntries(bytes)[0]![1]).toEqual(plain(entry![1]));
    return entry![1];
  });

/** Numbers of 64 bits as that decoder gives them. */
const plain = (fields: Fields): unknown =>
  JSON.parse(JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));

const one = (line: string | Buffer, common: Fields = {}) => decoded([line], 'bytes', common)[0]!;

describe('a line of JSON', () => {
  test('is the same record on bytes and by way of its fields, however it is written', () => {
    const common = fc.constantFrom({}, { env: 'prod' }, { env: 'prod', a: 1, '': null });
    fc.assert(
      fc.property(fc.array(jsonLine, { minLength: 1, maxLength: 4 }), common, (lines, added) => {
        const [onBytes, byFields] = [decoded(lines, 'bytes', added), decoded(lines, 'fields', added)];
        expect(onBytes).toEqual(byFields);
        // Both of a pair may be wrong together: this is what is meant.
        for (const [at, line] of lines.entries()) {
          const meant = { ...JSON.parse(line), ...added };
          const names = new Set(Object.keys(meant).map((name) => name.toWellFormed()));
          expect(Object.keys(onBytes[at]!).toSorted()).toEqual([...names].toSorted());
        }
      }),
      { numRuns: 300, verbose: 1 },
    );
  });

  test('keeps what other readers get wrong', () => {
    expect(
      one('{"a":"\\ud83d\\ude00","b":"\\ud800","c":"\\udc00x","d":"\\ud800\\ud800","e":"\\u00e9\\u20ac\\u0041"}'),
    ).toEqual({
      ...{ a: '😀', b: '\ufffd', c: '\ufffdx', d: '\ufffd\ufffd', e: 'é€A' },
    });
    expect(one('{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t"}')).toEqual({ a: '"\\/\b\f\n\r\t' });
    expect(one('{"a":1,"b":2,"a":3}')).toEqual({ a: 3, b: 2 });
    expect(one('{"a":1,"\\u0061":2}')).toEqual({ a: 2 });
    expect(one('{"a":{"x":1,"x":2},"b":[{"x":1},{"x":2}],"x":0}')).toEqual({
      a: { x: 2 },
      b: [{ x: 1 }, { x: 2 }],
      x: 0,
    });
    expect(JSON.stringify(one('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
    expect(one(' \t{ "a" : [ ] , "b" : { } }\r')).toEqual({ a: [], b: {} });
    expect(one('{}')).toEqual({});
    expect(one('{}', { env: 'prod' })).toEqual({ env: 'prod' });
  });

  test('has a key once, though two that UTF-8 does not have become the same', () => {
    for (const way of ['bytes', 'fields'] as const) {
      const keys =
        '{"\\ud800":1,"x":{"\\udc00":{"\\ud801":2,"\\ufffd":3},"\\udfff":[{"\\ud800a":4,"\\udc00a":5}]},"\\udc00":6}';
      expect(decoded([keys], way)).toEqual([{ '\ufffd': 6, x: { '\ufffd': [{ '\ufffda': 5 }] } }]);
      expect(decoded([keys], way, { '\ufffd': 7 })).toEqual([{ x: { '\ufffd': [{ '\ufffda': 5 }] }, '\ufffd': 7 }]);
      expect(decoded(['{"\\ud800":1,"__proto__":2}'], way).map((each) => Object.entries(each))).toEqual([
        [
          ['\ufffd', 1],
          ['__proto__', 2],
        ],
      ]);
    }
  });

  test('leaves out what is given to all records, wherever it is in the line', () => {
    for (const line of ['{"env":{"deep":[1]},"a":1,"b":2}', '{"a":1,"env":"app","b":2}', '{"a":1,"b":2,"env":[]}'])
      expect(one(line, { env: 'prod' })).toEqual({ a: 1, b: 2, env: 'prod' });
    expect(one('{"env":1}', { env: 'prod' })).toEqual({ env: 'prod' });
    expect(one('{"a":{"env":1}}', { env: 'prod' })).toEqual({ a: { env: 1 }, env: 'prod' });
  });

  test.each([31, 32, 255, 256, 65_535, 65_536])('holds texts of %i bytes, with escapes and without', (length) => {
    const [plain, escaped] = ['x'.repeat(length), `${'x'.repeat(length - 2)}\\n`];
    expect(one(`{"a":"${plain}","b":"${escaped}"}`)).toEqual({ a: plain, b: `${'x'.repeat(length - 2)}\n` });
  });

  test.each([15, 16, 300, 1500, 70_000])('holds maps and lists of %i', (count) => {
    const names = Array.from({ length: count }, (_, at) => `key ${at}`);
    const map = Object.fromEntries(names.map((name, at) => [name, at]));
    expect(one(JSON.stringify({ ...map, list: names }))).toEqual({ ...map, list: names });
  });

  test('is read in time that grows with its length alone, whatever its keys are', () => {
    // As many keys as fit, each twice as long as a word: none is taken for another.
    const names = Array.from({ length: 1000 }, (_, at) => `${at % 10}${'k'.repeat(at)}`);
    const map = Object.fromEntries(names.map((name, at) => [name, at]));
    expect(one(JSON.stringify(map))).toEqual(map);
  });
});

describe('numbers keep their digits', () => {
  const fromBytes = (digits: string) => written(msgpack, recordsIn([`{"n":${digits}}`], 'bytes'))[0]!.subarray(14);
  const wide = (code: number, value: bigint) => {
    const bytes = Buffer.alloc(9);
    bytes[0] = code;
    bytes.writeBigUInt64BE(BigInt.asUintN(64, value), 1);
    return bytes;
  };

  test.each(['9007199254740993', '1700000000123456789', '9223372036854775808', '18446744073709551615'])(
    '%s',
    (digits) => {
      expect(fromBytes(digits)).toEqual(wide(0xcf, BigInt(digits)));
    },
  );

  test.each(['-9007199254740993', '-9223372036854775808', '-4294967297'])('%s', (digits) => {
    expect(fromBytes(digits)).toEqual(wide(0xd3, BigInt(digits)));
  });

  test.each(['18446744073709551616', '-9223372036854775809', '1e400', '-1E999'])('%s as text', (digits) => {
    expect(fromBytes(digits).subarray(1).toString()).toBe(digits);
  });

  const doubles = fc.double({ noNaN: true, noDefaultInfinity: true });

  test('fractions are the nearest double, as JSON.parse has it', () => {
    fc.assert(
      fc.property(doubles, fc.stringMatching(/^-?[1-9]\d{0,9}\.\d{1,12}$/), fc.nat(20), (value, decimal, places) => {
        for (const digits of [String(value), value.toExponential(), value.toFixed(places), decimal]) {
          if (/^-?\d+$/.test(digits)) continue;
          expect(Number(one(`{"n":${digits}}`).n)).toBe(Number(digits) + 0);
        }
      }),
      { numRuns: 300, verbose: 1 },
    );
  });
});

describe('what is no JSON object goes as the line that it is, with the reason', () => {
  test.each(refused.map((line) => [line]))('%j', (line) => {
    expect(() => {
      const value = JSON.parse(line);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('no object');
    }).toThrow();
    const [record, next] = decoded([line, '{"a":1}'], 'bytes');
    expect(record).toEqual({ log: line, parse_error: expect.any(String) });
    expect(next).toEqual({ a: 1 });
  });

  test.each([
    ['{"a":[1,2, 3],"b":"c d","e":{"f":12 , "g":true }, "h":-1.5e+10 ,"i":null}'],
    ['{"log":"one\\ntwo\\u00e9 three","list":[ [ 1 ] ,[2] ], "a" : false }'],
  ])('every truncation of %s, with the rest of it behind the end', (line) => {
    for (let length = 0; length < line.length; length++) {
      const cut = recordsIn([line], 'bytes');
      const [entry] = written(msgpack, Object.assign(cut, { spans: [2, 2 + length] }));
      const record = { log: line.slice(0, length), parse_error: expect.any(String) };
      expect((readStrictly(entry!)[0] as unknown[])[1]).toEqual(record);
    }
  });

  test('every truncation of any line, whatever the bytes behind it are', () => {
    fc.assert(
      fc.property(jsonLine, fc.integer({ min: 0 }), (line, seed) => {
        const bytes = Buffer.from(line);
        const records = recordsIn([bytes], 'bytes');
        const end = 2 + (seed % bytes.length);
        // All of the line is still there behind the end.
        const [start] = records.spans;
        const whole = line.trimEnd();
        fc.pre(
          bytes
            .subarray(0, end - start!)
            .toString()
            .trimEnd() !== whole,
        );
        const cut = Object.assign(recordsIn([bytes], 'bytes'), { spans: [start!, end] });
        const [entry] = written(msgpack, cut);
        expect(decodeEntries(entry!)[0]![1]).toEqual({
          log: bytes.subarray(0, end - start!).toString(),
          parse_error: expect.any(String),
        });
      }),
      { numRuns: 300, verbose: 1 },
    );
  });

  test('one byte changed: refused or read as JSON.parse does', () => {
    fc.assert(
      fc.property(jsonLine, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (line, place, byte) => {
        const at = place % line.length;
        const changed = `${line.slice(0, at)}${String.fromCharCode(byte)}${line.slice(at + 1)}`;
        const bytes = Buffer.from(changed);
        const [onBytes] = decoded([bytes], 'bytes');
        const [byFields] = decoded([bytes], 'fields');
        const reason = { parse_error: expect.any(String) };
        expect(onBytes).toEqual('parse_error' in byFields! ? { ...byFields, ...reason } : byFields);
      }),
      { numRuns: 300, verbose: 1 },
    );
  });

  test('as many maps and lists within one another as receivers take, and no more', () => {
    const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;
    const [taken, refusedOne] = decoded([nested(100), nested(102)], 'bytes');
    expect(JSON.stringify(taken)).toBe(nested(100));
    expect(refusedOne).toEqual({ log: nested(102), parse_error: 'Nested more than 100 deep' });
    expect(decoded([nested(100), nested(102)], 'fields')[0]).toEqual(taken);
    expect(one(`${'{"a":'.repeat(99)}{}${'}'.repeat(99)}`)).not.toHaveProperty('parse_error');
    expect(one(`${'{"a":'.repeat(100)}{}${'}'.repeat(100)}`)).toHaveProperty('parse_error');
  });
});
