// Each directory of cases/output has a workload, additions and what each form of output makes of them. UPDATE=1 writes
// that anew.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { check } from '../../../src/check/check.ts';
import type { Addition } from '../../../src/compose/addition.ts';
import { composeFile } from '../../../src/compose/output/compose-file.ts';
import { jsonPatch } from '../../../src/compose/output/json-patch.ts';
import { kustomizeComponent } from '../../../src/compose/output/kustomize.ts';
import type { Output, Workload } from '../../../src/compose/output/output.ts';
import { admissionPolicy } from '../../../src/compose/output/policy.ts';
import { strategicMerge } from '../../../src/compose/output/strategic-merge.ts';
import type { Objects } from '../../../src/manifest/manifest.ts';
import { parseSource } from '../../../src/manifest/source.ts';

type Write = (workload: Workload, additions: readonly Addition[], objects: Objects) => Output;

const outputs: Readonly<Record<string, Write>> = {
  'json-patch': (workload, additions) => jsonPatch(workload, additions),
  'strategic-merge': (workload, additions) => strategicMerge(workload, additions),
  kustomize: (workload, additions) => kustomizeComponent(workload, additions),
  policy: (workload, additions) => admissionPolicy(workload, additions, {}),
  compose: (workload, additions, objects) =>
    composeFile(workload, additions, { objects, pauseImage: 'outrigger/pause:0.1.0' }),
};

const directory = fileURLToPath(new URL('../../cases/output/', import.meta.url));
const cases = readdirSync(directory);
const all = cases.flatMap((name) => Object.keys(outputs).map((output) => [name, output] as const));

async function written(name: string, output: string): Promise<Output> {
  const file = join(directory, name, 'workload.yaml');
  const checked = await check(parseSource(file, readFileSync(file, 'utf8')));
  const { manifest } = checked.workloads[0]!;
  const additions = parse(readFileSync(join(directory, name, 'additions.yaml'), 'utf8')) as Addition[];
  return outputs[output]!(manifest.document.value as Workload, additions, manifest);
}

test.for(all)('%s as %s', async ([name, output]) => {
  const { files, notes } = await written(name, output);
  const told = notes.map((note) => `${note}\n`).join('');
  const wanted = new Map([...files.map(({ name, text }) => [name, text] as const), ['notes.txt', told]]);
  const golden = join(directory, name, output);
  if (process.env.UPDATE) write(golden, wanted);
  const there = readdirSync(golden, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const paths = there.map((each) => join(each.parentPath, each.name).slice(golden.length + 1));
  expect(paths.toSorted()).toEqual([...wanted.keys()].toSorted());
  for (const [path, text] of wanted) expect(text, path).toBe(readFileSync(join(golden, path), 'utf8'));
});

function write(golden: string, files: ReadonlyMap<string, string>): void {
  rmSync(golden, { recursive: true, force: true });
  for (const [path, text] of files) {
    mkdirSync(dirname(join(golden, path)), { recursive: true });
    writeFileSync(join(golden, path), text);
  }
}
