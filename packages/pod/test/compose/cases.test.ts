// Each directory of cases/compose holds a workload and, unless that has its own, a list of sidecars; beside them is what
// comes out: expected.yaml if anything does, and what is said. UPDATE=1 writes it anew.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { check, errorsOf, inFileOrder } from '../../src/check/check.ts';
import { formatFinding } from '../../src/check/format.ts';
import { type Composed, compose, type Refused, remove } from '../../src/compose/compose.ts';
import { outputs } from '../../src/compose/outputs.ts';
import { parseSource } from '../../src/manifest/source.ts';

const root = fileURLToPath(new URL('../cases/compose/', import.meta.url));
const names = readdirSync(root);

function read(name: string) {
  const text = (file: string) => readFileSync(join(root, name, file), 'utf8');
  const list = existsSync(join(root, name, 'sidecars.yaml'))
    ? { file: 'sidecars.yaml', text: text('sidecars.yaml') }
    : undefined;
  return { manifest: { file: 'workload.yaml', text: text('workload.yaml') }, list };
}

function expectFile(name: string, text: string | undefined): void {
  const path = join(root, name);
  if (process.env.UPDATE) {
    if (text === undefined) rmSync(path, { force: true });
    else writeFileSync(path, text);
  }
  expect(existsSync(path) ? readFileSync(path, 'utf8') : undefined).toBe(text);
}

const said = (result: Composed | Refused): string => {
  const all = 'refused' in result ? result.refused : result.findings;
  const lines = [
    ...all.filter((each) => typeof each === 'string'),
    ...inFileOrder(all.filter((each) => typeof each !== 'string')).map(formatFinding),
  ];
  return lines.map((line) => `${line}\n`).join('');
};

test.for(names)('%s', async (name) => {
  const { manifest, list } = read(name);
  const result = await compose(manifest, { workload: undefined, list });
  expectFile(`${name}/expected.yaml`, 'refused' in result ? undefined : result.text);
  expectFile(`${name}/said.txt`, said(result));
});

test.for(names)('%s composed is right, composed again the same, and taken out what it was', async (name) => {
  const { manifest, list } = read(name);
  const result = await compose(manifest, { workload: undefined, list });
  if ('refused' in result) return;
  const composed = { ...manifest, text: result.text };
  expect(errorsOf(await check(parseSource('composed.yaml', result.text)))).toEqual([]);
  expect(await compose(composed, { workload: undefined })).toMatchObject({ text: result.text });
  expect(remove(composed, undefined)).toEqual({ text: manifest.text, findings: [], composed: true });
});

const withOutputs = names.filter((name) => existsSync(join(root, name, 'outputs')));

test.for(
  withOutputs.flatMap((name) => Object.keys(outputs).map((output) => [name, output as keyof typeof outputs] as const)),
)('%s as %s', async ([name, output]) => {
  const { manifest, list } = read(name);
  const result = await compose(manifest, { workload: undefined, list });
  if ('refused' in result) throw new Error(said(result));
  const write = await outputs[output]();
  const { files, notes } = write(result.original.value as Record<string, unknown>, result.additions, result.objects);
  for (const file of files) {
    // JSON is named as YAML: the formatter leaves that alone.
    expectFile(`${name}/outputs/${output}.${file.name.replace(/json$/, 'yaml')}`, file.text);
  }
  expectFile(`${name}/outputs/${output}.notes.txt`, notes.map((note) => `${note}\n`).join(''));
});
