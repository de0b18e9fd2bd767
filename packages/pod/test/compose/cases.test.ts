// Each manifest of cases/compose has beside it its plain form and what is said about it. UPDATE=1 writes them anew.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { check, errorsOf } from '../../src/check/check.ts';
import { plainForm } from '../../src/compose/plain.ts';
import { containersOf } from '../../src/manifest/containers.ts';
import { parseSource } from '../../src/manifest/source.ts';

const directory = fileURLToPath(new URL('../cases/compose/', import.meta.url));
const names = readdirSync(directory).filter((name) => name.endsWith('.yaml') && !name.endsWith('.plain.yaml'));

async function plain(name: string, text: string) {
  const { findings, manifest, parameters } = await check(parseSource(name, text));
  expect(errorsOf({ findings })).toEqual([]);
  return plainForm(manifest!, parameters);
}

test.for(names)('%s', async (name) => {
  const { text, notes } = await plain(name, readFileSync(directory + name, 'utf8'));
  const golden = directory + name.replace(/yaml$/, 'plain.yaml');
  const said = directory + name.replace(/yaml$/, 'notes.txt');
  if (process.env.UPDATE) {
    writeFileSync(golden, text);
    writeFileSync(said, notes.map((note) => `${note}\n`).join(''));
  }
  expect(text).toBe(readFileSync(golden, 'utf8'));
  expect(notes.map((note) => `${note}\n`).join('')).toBe(readFileSync(said, 'utf8'));
});

test.for(names)('the plain form of %s has no native sidecar, is right, and is its own plain form', async (name) => {
  const { text } = await plain(name, readFileSync(directory + name, 'utf8'));
  const { findings, manifest } = await check(parseSource(name, text));
  expect(errorsOf({ findings })).toEqual([]);
  expect(containersOf(manifest!.pod).filter(({ kind }) => kind === 'sidecar')).toEqual([]);
  expect((await plain(name, text)).text).toBe(text);
});
