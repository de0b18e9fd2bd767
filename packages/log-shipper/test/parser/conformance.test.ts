// What holds for every parser: no line is ever lost to it.

import { describe, expect, test } from 'vitest';
import { frame } from '../../src/frame.ts';
import { parse } from '../../src/parse.ts';
import { parsers } from '../../src/parser/index.ts';
import { chunkOf } from '../chunk.ts';

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

for (const [name, member] of Object.entries(parsers)) {
  describe(name, () => {
    test('keeps every line, and says what is wrong with those that it cannot read', () => {
      const records = frame(chunkOf(nuisance.map((line) => `${line}\n`).join('')), 1 << 20);
      parse(records, member.open({}), true);
      const { fields, own, failures } = records;
      expect(fields?.length ?? nuisance.length).toBe(nuisance.length);
      expect([...own.values()].every(({ parse_error }) => typeof parse_error === 'string')).toBe(true);
      expect(failures).toBe(own.size);
    });

    test('marks the pieces of a long line', () => {
      const records = frame(chunkOf('aaaaaaaaaabb\n'), 10);
      parse(records, member.open({}), true);
      expect(records.own.get(0)).toMatchObject({ partial: true });
    });
  });
}

test('json keeps the digits of numbers that a double would round', () => {
  const line = '{"id":12345678901234567890,"small":1.5,"big":1e999,"negative":-9007199254740993}';
  const { parse: read } = parsers.json.open({});
  const bytes = Buffer.from(line);
  expect(JSON.stringify(read!(bytes, 0, bytes.length))).toBe(line);
});
