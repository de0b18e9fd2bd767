// What goes into the disk queue comes out of it as it was.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle, unsettle } from '../src/settled.ts';
import { chunkOf, recordsOf } from './chunk.ts';

const roundTrip = (records: Parameters<typeof settle>[0]) => unsettle(chunkOf(settle(records)));

test('times, levels, tags and fields are kept, and text is under its field', () => {
  const records = recordsOf(['one', '{"a":1}', 'three']);
  records.fields = [undefined, { a: 12, deep: { b: ['\n'] } }, undefined];
  records.common = { service: 'billing' };
  records.times = { seconds: Float64Array.of(1_700_000_000, Number.NaN, 5), nanos: Uint32Array.of(1, 2, 999_999_999) };
  records.levels = Uint8Array.of(9, 0, 17);
  records.tags = ['app."web"\\', undefined, 'x y'];
  const back = roundTrip(records);
  expect([0, 1, 2].map((index) => back.object(index))).toEqual([
    { log: 'one', service: 'billing' },
    { a: 12, deep: { b: ['\n'] }, service: 'billing' },
    { log: 'three', service: 'billing' },
  ]);
  expect(back.time(0)).toEqual({ seconds: 1_700_000_000, nanos: 1 });
  expect(back.time(1)).toEqual(records.time(1));
  expect(back.time(2)).toEqual({ seconds: 5, nanos: 999_999_999 });
  expect([0, 1, 2].map((index) => back.level(index))).toEqual([9, 0, 17]);
  expect(back.tags).toEqual(records.tags);
});

test('time and level of JSON that nobody has looked at are found while it is written', () => {
  const records = recordsOf(['{"at":1700000000,"level":"error"}']);
  records.format = 'json';
  records.sought = {
    ...{ timeField: 'at', levelField: 'level', readLevel: () => 17 },
    readTime(bytes, start, end, into) {
      [into.seconds, into.nanos] = [Number(bytes.toString('latin1', start, end)), 7];
      return true;
    },
  };
  const back = roundTrip(records);
  expect(back.time(0)).toEqual({ seconds: 1_700_000_000, nanos: 7 });
  expect(back.level(0)).toBe(17);
});

test('what was dropped is not put', () => {
  const records = recordsOf(['one', 'two', 'three']);
  records.drop(1, 'filter');
  const back = roundTrip(records);
  expect([back.object(0), back.object(1)]).toEqual([{ log: 'one' }, { log: 'three' }]);
});

test('the source of a record is its whole line', () => {
  const chunk = chunkOf(settle(recordsOf(['one', 'two'])));
  const back = unsettle(chunk);
  expect(back.endOf(1)).toBe(chunk.bytes.length);
  expect(back.startOf(1)).toBe(back.endOf(0));
  expect(chunk.taken).toBe(chunk.bytes.length);
});

test('whatever a tag and a record hold, they come back', () => {
  const fields = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
  fc.assert(
    fc.property(fields, fc.string(), (found, tag) => {
      const records = recordsOf(['x']);
      records.fields = [found];
      records.tags = [tag];
      const back = roundTrip(records);
      expect(back.count).toBe(1);
      expect(JSON.stringify(back.object(0))).toBe(JSON.stringify(found));
      expect(back.tags).toEqual([tag]);
    }),
    { verbose: 1 },
  );
});

test('a line that is none of ours goes as text, and its neighbours are as they were', () => {
  const lines = settle(recordsOf(['one', 'two']))
    .toString()
    .split('\n');
  for (const strange of ['', 'x', '1.000000000 9', '1.000000000 99 null {}', '1.0 9 null {}', '1.000000000 9 "x {}']) {
    const back = unsettle(chunkOf([lines[0], strange, lines[1], ''].join('\n')));
    expect([0, 1, 2].map((index) => back.object(index))).toEqual([
      { log: 'one' },
      { log: strange, parse_error: expect.any(String) },
      { log: 'two' },
    ]);
  }
});
