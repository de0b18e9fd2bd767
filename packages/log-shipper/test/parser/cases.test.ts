// Golden lines: test/parser/cases/<parser>/<case>.lines, a line each, and what it has to become in <case>.ndjson beside it.
// `UPDATE=1` writes what came out; read it before it is committed.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsers } from '../../src/parser/index.ts';
import type { Fields, Parser } from '../../src/parser/parser.ts';

const cases = new URL('cases/', import.meta.url);

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = bytes.indexOf(0x0a); end !== -1; start = end + 1, end = bytes.indexOf(0x0a, start))
    lines.push(bytes.subarray(start, end));
  return lines;
}

function read(parser: Parser, line: Buffer): Fields | string {
  if (!parser.parse) return line.toString();
  // The line lies somewhere in a chunk, and what is around it must not be looked at.
  const around = Buffer.concat([Buffer.from('before "\n'), line, Buffer.from('" after\n')]);
  try {
    return parser.parse(around, 9, 9 + line.length);
  } catch (error) {
    return { parse_error: (error as Error).message };
  }
}

for (const name of readdirSync(cases)) {
  const directory = new URL(`${name}/`, cases);
  const parameters = new URL('parameters.json', directory);
  const parser = parsers[name as keyof typeof parsers].open(
    existsSync(parameters) ? JSON.parse(readFileSync(parameters, 'utf8')) : {},
  );
  describe(name, () => {
    for (const file of readdirSync(directory).filter((file) => file.endsWith('.lines'))) {
      test(file, () => {
        const found = linesOf(readFileSync(new URL(file, directory))).map((line) => read(parser, line));
        const golden = new URL(file.replace('.lines', '.ndjson'), directory);
        const written = found.map((fields) => `${JSON.stringify(fields)}\n`).join('');
        if (process.env.UPDATE) writeFileSync(golden, written);
        expect(written).toBe(readFileSync(golden, 'utf8'));
      });
    }
  });
}

test('there are cases for every parser', () => {
  expect(readdirSync(cases).sort()).toEqual(Object.keys(parsers).sort());
});
