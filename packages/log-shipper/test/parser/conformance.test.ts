// What holds for every parser: no line is ever lost to it.

import type { Parameters, Values } from '@outrigger/core';
import { describe, expect, test } from 'vitest';
import { frame } from '../../src/frame.ts';
import { parse } from '../../src/parse.ts';
import { parsers } from '../../src/parser/index.ts';
import { chunkOf } from '../chunk.ts';

/** What a parser cannot do without. */
const parameters: Record<string, Values<Parameters>> = { regex: { pattern: '(?<all>.*)' } };
const open = (name: string) => parsers[name as keyof typeof parsers].open(parameters[name] ?? {});

const nuisance = [
  '',
  ' ',
  '{',
  '[]',
  'null',
  '"text"',
  '{"a":1',
  '\u0000',
  '{"a":1}garbage',
  '\ufeff{"a":1}',
  '{'.repeat(10_000),
];

for (const name of Object.keys(parsers)) {
  describe(name, () => {
    test('keeps every line, and says what is wrong with those that it cannot read', () => {
      const records = frame(chunkOf(nuisance.map((line) => `${line}\n`).join('')), { limit: 1 << 20 });
      parse(records, open(name), true);
      const { fields, own, failures } = records;
      expect(fields?.length ?? nuisance.length).toBe(nuisance.length);
      expect([...own.values()].every(({ parse_error }) => typeof parse_error === 'string')).toBe(true);
      expect(failures).toBe(own.size);
    });

    test('marks the pieces of a long line', () => {
      const records = frame(chunkOf('aaaaaaaaaabb\n'), { limit: 10 });
      parse(records, open(name), true);
      expect(records.own.get(0)).toMatchObject({ partial: true });
    });

    test.each([true, false])('leaves the pieces of a long line as they are, though they could be read', (seen) => {
      const records = frame(chunkOf(`aaaaaaaaaa{"a":1}\n{"b":2}\n`), { limit: 10 });
      parse(records, open(name), seen);
      expect(records.object(0)).toMatchObject({ log: 'aaaaaaaaaa', partial: true });
      expect(records.object(1)).toMatchObject({ log: '{"a":1}' });
    });
  });
}

test('json takes the last value of a key that is there twice, whatever digits the others have', () => {
  const bytes = Buffer.from('{"a":-9007199254740993,"\\u0061":9.5e-107,"b":12345678901234567890,"b":1.5}');
  expect(parsers.json.open({}).parse!(bytes, 0, bytes.length)).toEqual({ a: 9.5e-107, b: 1.5 });
});

test('json keeps the digits of numbers that a double would round', () => {
  const line = '{"id":12345678901234567890,"small":1.5,"big":1e999,"negative":-9007199254740993}';
  const { parse: read } = parsers.json.open({});
  const bytes = Buffer.from(line);
  expect(JSON.stringify(read!(bytes, 0, bytes.length))).toBe(line);
});

/** What comes closest to each kind of line and never ends. */
const endless: Record<string, string> = {
  raw: 'x',
  json: '{"a":"',
  logfmt: 'a="x\\" ',
  regex: 'x ',
  nginx: '203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET \\" ',
  apache: '[Wed Oct 11 14:32:52 2000] [error] [client ',
  syslog: '<13>1 - - - - - [id a="b\\]" ',
  cri: '2016-10-06T00:17:09Z stdout F ',
  klog: 'I0102 15:04:05.123456 1 main.go:10] "x\\" ',
};

test.for(Object.keys(parsers))('%s: no line of 1 MiB takes longer than a second on a busy machine', (name) => {
  const parser = open(name);
  const start = endless[name]!;
  for (const line of [
    start.repeat((1 << 20) / start.length),
    start + 'a'.repeat(1 << 20),
    start + ' '.repeat(1 << 20),
  ]) {
    const bytes = Buffer.from(line);
    const began = performance.now();
    try {
      parser.parse?.(bytes, 0, bytes.length);
    } catch (error) {
      expect((error as Error).message).not.toBe('');
    }
    expect(performance.now() - began).toBeLessThan(1000);
  }
});
