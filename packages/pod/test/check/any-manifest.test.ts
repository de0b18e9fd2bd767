// Whatever a manifest holds, it is judged and not stumbled over.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { check, errorsOf } from '../../src/check/check.ts';
import { podmanForm } from '../../src/compose/podman.ts';
import { isObject, type Path, valueAt } from '../../src/manifest/path.ts';
import { parseSource } from '../../src/manifest/source.ts';

const wrong = [null, 1, 'x', [], [null], {}, { x: 1 }, undefined] as const;

function* pathsOf(value: unknown, path: Path = []): Iterable<Path> {
  yield path;
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value))
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

/** A copy with something else in one place; undefined takes the place out. */
function replaced(value: unknown, path: Path, other: unknown): unknown {
  if (path.length === 0) return other;
  const copy = structuredClone(value);
  const parent = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  if (other === undefined) delete parent[path.at(-1)!];
  else parent[path.at(-1)!] = other;
  return copy;
}

// The last are long, and what has the wrong type is the schema's.
const cases = [
  ...['right', 'platform', 'references', 'ports'].map((name) => [name, wrong] as const),
  ...['pod-security', 'kinds'].map((name) => [name, [{}, undefined]] as const),
];

test.for(cases)('%s.yaml with anything in any place of it', async ([name, wrong]) => {
  const file = fileURLToPath(new URL(`../cases/check/${name}.yaml`, import.meta.url));
  const documents = parseSource(name, readFileSync(file, 'utf8')).documents.map(({ value }) => value);
  let judged = 0;
  for (const path of pathsOf(documents))
    for (const other of path.length === 0 ? [] : wrong) {
      const changed = (replaced(documents, path, other) as unknown[]).filter((each) => each !== undefined);
      const text = changed.map((each) => stringify(each)).join('---\n');
      const checked = await check(parseSource(name, text)).catch((error: Error) => {
        throw new Error(`${JSON.stringify(path)} = ${JSON.stringify(other)}: ${error.stack}`);
      });
      for (const { line, column, message } of checked.findings) {
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
        expect(message).not.toMatch(/undefined|\[object|NaN/);
      }
      const [workload] = checked.workloads;
      if (workload && errorsOf(checked).length === 0) podmanForm(workload.manifest, workload.parameters);
      judged++;
    }
  expect(judged).toBeGreaterThan(200);
});
