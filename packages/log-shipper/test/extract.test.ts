import { expect, test } from 'vitest';
import { type ExtractOptions, extractor } from '../src/extract.ts';
import { parse } from '../src/parse.ts';
import { parsers } from '../src/parser/index.ts';
import type { Parser } from '../src/parser/parser.ts';
import { recordsOf } from './chunk.ts';

function extracted(lines: readonly string[], options: ExtractOptions, parser: Parser = parsers.json.open({})) {
  const records = recordsOf(lines);
  parse(records, parser, true);
  const unreadable = extractor(options)(records);
  const times = Array.from(lines, (_, index) => {
    const seconds = records.times?.seconds[index] ?? Number.NaN;
    return Number.isNaN(seconds) ? undefined : seconds + (records.times?.nanos[index] ?? 0) / 1e9;
  });
  return { records, unreadable, times, levels: Array.from(lines, (_, index) => records.level(index)) };
}

test('times and levels of JSON, and what cannot be read is said', () => {
  const lines = [
    '{"time":"2024-03-01T10:20:30.5Z","level":"warn"}',
    '{"time":1709288430500,"level":30}',
    '{"msg":"neither"}',
    '{"time":"yesterday","level":"loud"}',
    '{"time":null,"level":null}',
    'no JSON',
  ];
  const { times, levels, unreadable, records } = extracted(lines, { timeField: 'time', levelField: 'level' });
  expect(times).toEqual([1709288430.5, 1709288430.5, undefined, undefined, undefined, undefined]);
  expect(levels).toEqual([13, 9, 0, 0, 0, 0]);
  expect(unreadable).toBe(1);
  expect(records.time(2).seconds).toBe(Math.floor(records.readAt / 1000));
});

test('dots lead into objects, unless a field is called so', () => {
  const lines = [
    '{"log":{"at":"2024-03-01T10:20:30Z"}}',
    '{"log.at":"2024-03-01T10:20:31Z"}',
    '{"log":"text"}',
    '{"log":null}',
  ];
  expect(extracted(lines, { timeField: 'log.at' }).times).toEqual([1709288430, 1709288431, undefined, undefined]);
});

test('names that every object knows are no fields', () => {
  expect(extracted(['{}'], { timeField: 'constructor', levelField: 'toString' }).unreadable).toBe(0);
});

test('format, zone and scale are as asked for', () => {
  const options = {
    timeField: 't',
    timeFormat: '%d.%m.%Y %T',
    timeZone: 'Europe/Berlin',
    levelField: 'l',
    levelScale: 'python',
  } as const;
  const { times, levels } = extracted(['{"t":"01.03.2024 11:20:30","l":20}'], options);
  expect(times).toEqual([1709288430]);
  expect(levels).toEqual([9]);
  expect(extracted(['{"severity_number":20}'], { levelField: 'severity_number' }).levels).toEqual([20]);
});

test('what nobody knows is refused', () => {
  expect(() => extractor({ timeFormat: 'whenever' })).toThrow('is expected');
  expect(() => extractor({ timeZone: 'Nowhere' })).toThrow('a time zone such as');
  expect(() => extractor({ timeFormat: 'unix-days' })).toThrow('is expected');
});

test('a time that was known already stays where the line says none', () => {
  const records = recordsOf(['{"time":"2024-03-01T10:20:30Z"}', '{}']);
  records.times = { seconds: Float64Array.of(1, 2), nanos: Uint32Array.of(3, 4) };
  parse(records, parsers.json.open({}), true);
  extractor({ timeField: 'time' })(records);
  expect([records.time(0), records.time(1)]).toEqual([
    { seconds: 1709288430, nanos: 0 },
    { seconds: 2, nanos: 4 },
  ]);
});

test('bytes that nobody looked into stay so', () => {
  const records = recordsOf(['{"time":"2024-03-01T10:20:30Z"}']);
  parse(records, parsers.json.open({}), false);
  expect(extractor({ timeField: 'time' })(records)).toBe(0);
  expect(records.times).toBe(undefined);
  expect(records.fields).toBe(undefined);
});

/** One line of each kind, all of the same instant. */
const lines: Record<string, [line: string, level: number]> = {
  json: ['{"time":"2024-03-01T10:20:30Z","level":"error"}', 17],
  logfmt: ['time=2024-03-01T10:20:30Z level=error', 17],
  nginx: ['2024/03/01 10:20:30 [crit] 31#32: *7 failed', 18],
  apache: ['[Fri Mar 01 10:20:30.000000 2024] [core:notice] [pid 1] up', 10],
  syslog: ['<11>1 2024-03-01T10:20:30Z h a - - - m', 17],
  cri: ['2024-03-01T10:20:30Z stdout F x', 0],
  regex: ['2024-03-01T10:20:30Z WARN x', 13],
};

test.for(Object.entries(lines))('%s says by itself where time and level are', ([name, [line, level]]) => {
  const parser = parsers[name as keyof typeof parsers].open({ pattern: '^(?<time>\\S+) (?<level>\\S+)' });
  const { times, levels } = extracted([line], parser, parser);
  expect(times).toEqual([1709288430]);
  expect(levels).toEqual([level]);
});

test('access logs have times and no levels', () => {
  const line = '203.0.113.7 - - [01/Mar/2024:11:20:30 +0100] "GET / HTTP/1.0" 200 1';
  for (const parser of [parsers.nginx.open({}), parsers.apache.open({})]) {
    const { times, levels, unreadable } = extracted([line], parser, parser);
    expect({ times, levels, unreadable }).toEqual({ times: [1709288430], levels: [0], unreadable: 0 });
  }
});
