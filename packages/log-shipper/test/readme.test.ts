// The README says which test shows what becomes of each fault: it has to be there.

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const rows = [...readme.matchAll(/^\| (\d+) \|.*\| (.+) \|$/gm)].map(([, number, shown]) => ({
  number: Number(number),
  shown: shown!,
}));

test('all 58 faults are there, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 58 }, (_, index) => index + 1));
});

test.each(rows)('fault $number: $shown', ({ shown }) => {
  for (const part of shown.split('; ')) {
    const files = [...part.matchAll(/`([^`]+)`/g)].map(([, file]) => new URL(file!, import.meta.url));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    const names = [...part.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);
    expect(names.filter((name) => !text.includes(name))).toEqual([]);
  }
});
