// What the kernel makes of lines is, byte for byte, what JavaScript makes of them one by one.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderKernel } from '../../scripts/kernel.ts';
import { ByteWriter } from '../../src/byte-writer.ts';
import { msgpack, msgpackByLine } from '../../src/encoding/msgpack.ts';
import { frame } from '../../src/frame.ts';
import { Numbers } from '../../src/numbers.ts';
import type { Fields, Records } from '../../src/records.ts';
import { severityOfBytes } from '../../src/severity.ts';
import { timeReader } from '../../src/time/time.ts';
import type { Sought } from '../../src/transcode/sought.ts';
import { chunkOf } from '../chunk.ts';
import { jsonLine, refused } from './lines.ts';
import { recordsIn, written } from './written.ts';

const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 200), verbose: 1 } as const;

function soughtBy(format: string): Sought {
  const { read, readsRfc3339 } = timeReader(format);
  return { timeField: 'time', readTime: read, readsRfc3339, levelField: 'a', readLevel: severityOfBytes };
}

const sought = soughtBy('auto');

type Given = { readonly common?: Fields; readonly sought?: Sought | undefined; change?(records: Records): void };

/** All that is known of the records once they are written. */
function outcome(encoding: typeof msgpack, lines: readonly (string | Buffer)[], given: Given) {
  const records = recordsIn(lines, 'bytes', given.common);
  Object.assign(records, { sought, readAt: 1_700_000_000_123, ...('sought' in given && { sought: given.sought }) });
  given.change?.(records);
  const bytes = written(encoding, records).map((each) => each.toString('latin1'));
  const { own, failures, repaired } = records;
  const times = bytes.map((_, index) => records.time(index));
  return { bytes, times, levels: bytes.map((_, index) => records.level(index)), own: [...own], failures, repaired };
}

function compare(lines: readonly (string | Buffer)[], given: Given = {}): ReturnType<typeof outcome> {
  const one = outcome(msgpack, lines, given);
  expect(one).toEqual(outcome(msgpackByLine, lines, given));
  return one;
}

/** Which of the lines the kernel takes. */
function taken(lines: readonly string[], common: Fields = {}): boolean[] {
  const records = Object.assign(recordsIn(lines, 'bytes', common), { sought });
  const indices = new Set<number>();
  written(msgpack, records, indices);
  return lines.map((_, index) => indices.has(index));
}

const two = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
const years = ['0000', '1969', '1970', '1900', '2000', '2024', '2026', '2106', '2107', '9999', '20a0', '202'];
const fractions = ['', '.1', '.123', '.123456789', '.1234567891234', '.', ',5', '.999999999'];
const zones = ['Z', 'Z', 'z', '+02:00', '-11:30', '+0200', '+24:00', '-00:60', '', ' UTC', 'Zz', '+02:0x', '+02:000'];
const time = fc
  .tuple(
    fc.tuple(fc.constantFrom(...years), two(13), two(32)).map((date) => date.join('-')),
    fc.constantFrom('T', 'T', 'T', ' ', 't'),
    fc.tuple(two(24), two(60), two(61)).map((clock) => clock.join(':')),
    fc.constantFrom(...fractions),
    fc.constantFrom(...zones),
  )
  .map((parts) => `"${parts.join('')}"`);
const levels = ['info', 'INFO', 'warning', 'i', 'in', 'information', '30', 'x', '', 'inf\\u006f'].map((w) => `"${w}"`);
const level = fc.constantFrom(...levels, '30', '40.5', 'null', '[1]', '["info"]');
const usualLine = fc
  .tuple(
    time,
    level,
    jsonLine,
    fc.string({ maxLength: 40 }).map((text) => JSON.stringify(text)),
  )
  .map(([when, how, line, text]) => `{"time":${when},"a":${how},${text}:${text},"in":${line}}`);
const line = fc.oneof(jsonLine, usualLine);
const someLines = fc.array(line, { minLength: 1, maxLength: 5 });
const common = fc.constantFrom<Fields>(
  ...[{}, { env: 'prod' }, { env: 'prod', a: 1, '': null }, { time: 'x'.repeat(300) }, { deep: { é: [1.5, '😀'] } }],
);

describe('what the kernel makes of lines is what JavaScript makes of them', () => {
  test('as they are', () => {
    fc.assert(
      fc.property(someLines, common, (lines, added) => void compare(lines, { common: added })),
      runs,
    );
  });

  test('with times and levels, whatever they are read by', () => {
    const formats = fc.constantFrom('auto', 'auto', 'rfc3339', 'unix', '%Y-%m-%dT%H:%M:%S.%f%z');
    fc.assert(
      fc.property(fc.array(usualLine, { minLength: 1, maxLength: 5 }), common, formats, (lines, added, format) => {
        compare(lines, { common: added, sought: soughtBy(format) });
      }),
      runs,
    );
    const leapDays = [1900, 2000, 2023, 2024, 2100, 2400].map((year) => `{"time":"${year}-02-29T00:00:00Z"}`);
    expect(compare(leapDays).times.filter(({ nanos }) => nanos === 0).length).toBe(3);
    compare(['{"time":"2026-01-02T03:04:05Z","a":"info","":1}'], { sought: undefined });
    compare(['{"time":"2026-01-02T03:04:05Z","a":"info","":1}'], { sought: {} });
    compare(['{"a":"info"}'], { sought: { ...sought, timeField: 'a' } });
    compare(['{"a":"info"}', '{"a":"no"}'], { sought: { ...sought, readLevel: () => 5 } });
  });

  test('with bytes changed', () => {
    const byte = fc.oneof(fc.constantFrom(...Buffer.from('"\\{}[]:,u \n\r\t-.e0\0')), fc.nat(255));
    const changes = fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 3 }), changes, common, (lines, changed, added) => {
        const buffers = lines.map((each) => Buffer.from(each));
        for (const [place, value] of changed) {
          const buffer = buffers[place % buffers.length]!;
          buffer[(place >> 3) % buffer.length] = value;
        }
        compare(buffers, { common: added });
      }),
      runs,
    );
  });

  test('where their ends are anywhere', () => {
    const places = fc.array(fc.nat(), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line, { minLength: 2, maxLength: 4 }), places, common, (lines, cuts, added) => {
        const length = lines.reduce((sum, each) => sum + Buffer.byteLength(each) + 1, 2);
        const ends = cuts.map((cut) => cut % (length + 1)).toSorted((a, b) => a - b);
        const spans = ends.slice(0, ends.length & ~1);
        compare(lines, { common: added, change: (records) => void Object.assign(records, { spans }) });
      }),
      runs,
    );
  });

  test('where they were changed, have times and fields of their own, or lie in other bytes', () => {
    const index = fc.nat(4);
    const replacement = fc.oneof(line, fc.constantFrom('', 'no JSON', Buffer.from('{"a":"\xff"}', 'latin1')));
    fc.assert(
      fc.property(someLines, common, fc.array(fc.tuple(index, replacement)), index, (lines, added, changed, at) => {
        compare(lines, {
          common: added,
          change(records) {
            records.replaced = new Map(changed.map(([place, text]) => [place, Buffer.from(text as string)]));
            if (at < lines.length) {
              records.setTime(at, { seconds: 1_600_000_000, nanos: 999_999_999 });
              records.own.set(at, { partial: true, a: 'own' });
            }
            const bytes = Buffer.concat([Buffer.from('{"'), records.bytes]);
            Object.assign(records, { bytes, spans: [...records.spans].map((place) => place + 2) });
          },
        });
      }),
      runs,
    );
  });
});

test('lines as they are refused, and alone', () => {
  compare(refused);
  for (const each of refused) expect(compare([each, '{"a":1}']).failures).toBe(1);
});

const usual = (at: number, length = 0) =>
  `{"time":"2026-01-02T03:04:05.${at}Z","a":"info","n":${at},"s":"${'y'.repeat(length)}"}`;

test('lines as programs write them are the kernel’s, so that nothing here compares JavaScript with itself', () => {
  const lines = Array.from({ length: 3000 }, (_, at) => usual(at, at % 300));
  expect(taken(lines).filter((each) => !each)).toEqual([]);
  expect(taken(['{"a":"\\u00e9\\n","b":[1,{"c":-0.5e3}],"é":null}', ' { } \r', '{"a":1,"b":{"a":1}}'])).toEqual([
    ...[true, true, true],
  ]);
  expect(taken(['{"a":1,"a":2}', '{"\\u0061":1}', '{"n":18446744073709551615}', '{', usual(1)])).toEqual([
    ...[false, false, false, false, true],
  ]);
});

describe('at the borders', () => {
  test('of blocks, of entries and of what there is room for', () => {
    const lines = Array.from({ length: 5000 }, (_, at) => usual(at, at % 300));
    lines[1000] = `{"a":"${'z'.repeat(70_000)}"}`;
    lines[1001] = `{"a":"${'\\n'.repeat(32_000)}"}`;
    lines[1002] = `{"a":[${'-0.5,'.repeat(12_000)}1]}`;
    lines[1003] = `{"a":[${'[[],{}],'.repeat(8000)}1]}`;
    lines[1004] = `{${Array.from({ length: 300 }, (_, at) => `"k${at}":{"x":1}`).join()}}`;
    for (const [at, length] of [65_527, 65_528, 65_529].entries()) lines[1010 + at] = `{"a":"${'x'.repeat(length)}"}`;
    lines[1020] = `{"a":"${'x'.repeat(65_526)}é"}`;
    lines[1030] = `${' '.repeat(65_534)}{}`;
    lines[1040] = `{"a":[${'0.5,'.repeat(16_381)}0]}`;
    compare(lines, { common: { env: 'prod' } });
    compare(lines.slice(1000, 1050), { common: { env: 'x'.repeat(4000) } });
    expect(taken(lines.slice(1010, 1013))).toEqual([true, true, false]);
  });

  test.each([2047, 2048, 2049, 4096])('of a block of %i lines', (count) => {
    compare(Array.from({ length: count }, (_, at) => (at % 3 === 0 ? '' : '{}')));
    compare(Array.from({ length: count }, () => ' '.repeat(31)));
    compare(Array.from({ length: count }, () => '{"a":['));
  });

  test('of what all records have', () => {
    const lines = [usual(1), '{"k0":1,"k61":2,"k62":3,"k69":4}', '{"all":1}'];
    for (const count of [61, 62, 63, 64, 70])
      compare(lines, { common: Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at])) });
    for (const length of [3000, 4080, 4096, 5000, 200_000]) compare(lines, { common: { all: 'x'.repeat(length) } });
  });

  test('of lines that lie in another order than they are in', () => {
    const reversed = (records: Records) => {
      const pairs = Array.from({ length: records.count }, (_, at) => records.spans.slice(2 * at, 2 * at + 2));
      Object.assign(records, { spans: pairs.toReversed().flatMap((pair) => [...pair]) });
    };
    compare([usual(1), usual(2), '{', usual(3)], { change: reversed });
  });

  test('of numbers', () => {
    const [whole, other] = [
      ['9007199254740991', '9007199254740992', '9007199254740993', '999999999999999999', '1000000000000000000'],
      ['1e308', '1e309', '1e-400', '0.1e1', '1E+2', '0', '0.0', '0e0', '123456789012345.6', `0.${'1'.repeat(500)}`],
    ];
    const wide = ['9223372036854775807', '9223372036854775808', '18446744073709551615', '18446744073709551616'];
    const steps = [31, 32, 33, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32, 2 ** 53];
    const all = [...whole!, ...other!, ...wide, ...steps.map(String)].flatMap((digits) => [digits, `-${digits}`]);
    compare(all.map((digits) => `{"n":${digits},"list":[${digits},${digits}]}`));
  });

  test.each([15, 16, 31, 32, 63, 64, 65, 255, 256, 300])('of texts, keys, maps and lists of %i', (count) => {
    const text = 'k'.repeat(count);
    const keys = Array.from({ length: count }, (_, at) => `"${at}"`);
    compare([
      `{"a":"${text}","b":"${text}\\n","c":"\\"${text}","${text}":1,"${text}x":"${'é'.repeat(count)}"}`,
      `{${keys.map((key) => `${key}:1`).join()}}`,
      `{"m":{${keys.map((key) => `${key}:{"x":1,"y":{"x":1}}`).join()}},"l":[${keys.map((key) => `[${key}]`).join()}]}`,
      `{${keys.map((key) => `${key}:1`).join()},"0":2}`,
    ]);
  });

  test('of depth', () => {
    const nested = (depth: number, inner = '1') => `${'{"a":['.repeat(depth / 2)}${inner}${']}'.repeat(depth / 2)}`;
    compare([98, 100, 102, 5000].flatMap((depth) => [nested(depth), nested(depth, '{}'), nested(depth, '[1,2]')]));
    compare(['{"a":', '['].map((open) => open.repeat(10_000)));
    // The headers of all of them have to be made wider.
    compare([`${'{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,'.repeat(49)}1${']}'.repeat(49)}`]);
  });
});

describe('bytes that are no UTF-8', () => {
  const invalid = ['\xff', '\xc3', '\xe2\x82', '\xf0\x9f\x98', '\xed\xa0\x80', '\xc0\x80'];

  test.each(invalid)('%j is repaired and counted as it is line by line', (bytes) => {
    const broken = [`{"a":"${bytes}"}`, `{"${bytes}":1,"\xfe":2}`, `{"a":"x${bytes}`].map((text) =>
      Buffer.from(text, 'latin1'),
    );
    expect(compare([usual(1), ...broken, usual(2)]).repaired).toBe(3);
    const changed = (records: Records) => {
      records.replaced = new Map([[1, broken[0]!]]);
    };
    expect(compare([usual(1), usual(2), usual(3)], { change: changed }).repaired).toBe(1);
  });

  test('a block that ends within a character does not make it two', () => {
    for (let shift = 0; shift < 4; shift++) {
      const long = `{"s":"${'x'.repeat(shift)}${'😀'.repeat(16_000)}"}`;
      const { repaired, failures } = compare([long, `{"t":"${'€'.repeat(600)}"}`, long]);
      expect({ repaired, failures }).toEqual({ repaired: 0, failures: 0 });
    }
  });

  test('a zero ends nothing', () => {
    compare([
      '{"a":"\0"}',
      '{"a":1\0}',
      '\0{"a":1}',
      '{"a":1}\0',
      '{"a":1}\0\0\0',
      '{"\0":1}',
      '\0',
      '{"a":"\\u0000"}',
    ]);
  });
});

test('two that take turns do not see each other’s lines, fields and names', () => {
  const lines = Array.from({ length: 50 }, (_, at) => usual(at));
  const records = [{ env: 'one' }, { other: 'two', n: 'hidden' }].map((added) =>
    Object.assign(recordsIn(lines, 'bytes', added), { sought }),
  );
  const byTurns = (encoding: typeof msgpack) => {
    const into = new ByteWriter();
    const offsets = new Numbers();
    const writers = records.map((each) => encoding(each));
    // As sinks do whose batches end anywhere, with lines found for others in between.
    for (let index = 0; index < lines.length; index += 7)
      for (const write of writers)
        for (let at = index; at < Math.min(index + 7, lines.length); ) {
          const most = Math.min(index + 7, lines.length) - at;
          const written = write.run?.(at, { into, offsets, room: 0x100000, most }) ?? 0;
          if (written === 0) write(at, into);
          at += written || 1;
          frame(chunkOf(`${'y'.repeat(90)}\n`.repeat(20)), { limit: 100 });
        }
    return into.written.toString('latin1');
  };
  expect(byTurns(msgpack)).toEqual(byTurns(msgpackByLine));
});

test('the kernel that is committed is that of its source (npx pnpm@12 generate)', async () => {
  expect(readFileSync(new URL('../../src/transcode/kernel-bytes.ts', import.meta.url), 'utf8')).toBe(
    await renderKernel(),
  );
});
