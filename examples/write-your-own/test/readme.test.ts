// The page and the code say the same, and the page's claim holds: what `create` writes, and about twenty lines.

import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { renderDocuments } from '@outrigger/core/documents';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { rules } from '../../../packages/pod/src/conformance/rules/index.ts';
import { create } from '../../../packages/pod/src/create/create.ts';
import { sidecar } from '../src/sidecar.ts';

const here = resolve(import.meta.dirname, '..');
const read = (file: string) => readFile(join(here, file), 'utf8');

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

test('what is not generated is about twenty lines', async () => {
  await using directory = await scratch();
  await create({ name: 'rates', directory: directory.path, port: 9410, summary: sidecar.summary });
  const changed: Record<string, number> = {};
  for (const file of await readdir(join(here, 'src'))) {
    const generated = linesOf(await readFile(directory.join('src', file), 'utf8'));
    const added = linesOf(await read(join('src', file))).filter((line) => !generated.includes(line));
    if (added.length > 0) changed[file] = added.length;
  }
  expect(Object.keys(changed)).toEqual(['parameters.ts', 'work.ts']);
  expect(Object.values(changed).reduce((sum, lines) => sum + lines)).toBeLessThanOrEqual(22);
});

test('every piece of code on the page is in the file that it names', async () => {
  const blocks = [...(await read('README.md')).matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)];
  expect(blocks.map(([, file]) => file)).toEqual(['src/parameters.ts', 'src/work.ts']);
  for (const [, file, code] of blocks) expect(await read(file!)).toContain(code);
});

test('the report on the page names every rule, and none failed', async () => {
  const report = /\$ npx pnpm@12 conformance\n([\s\S]*?)```/.exec(await read('README.md'))![1]!;
  const reported = [...report.matchAll(/^(passed|skipped) +(\S+) +[\d.]+ s {2}/gm)].map(([, , id]) => id);
  expect(reported.toSorted()).toEqual(rules.map(({ id }) => id).toSorted());
  expect(report).toMatch(/\d+ passed, 0 failed, \d+ skipped\n$/);
});

test('its documents are what its declarations say (pnpm generate)', async () => {
  for (const [file, content] of Object.entries(renderDocuments(sidecar, await read('README.md'))))
    expect(await read(file), file).toBe(content);
});
