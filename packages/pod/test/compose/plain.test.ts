// Each manifest of cases/plain has beside it its plain form and its form for podman, and what is said about each. UPDATE=1
// writes them anew.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { check, errorsOf } from '../../src/check/check.ts';
import { plainForm } from '../../src/compose/plain.ts';
import { podmanForm } from '../../src/compose/podman.ts';
import { containersOf } from '../../src/manifest/containers.ts';
import { parseSource } from '../../src/manifest/source.ts';

const directory = fileURLToPath(new URL('../cases/plain/', import.meta.url));
const names = readdirSync(directory).filter((name) => /^[^.]+\.yaml$/.test(name));
const forms = { plain: plainForm, podman: podmanForm };

describe.each(['plain', 'podman'] as const)('the %s form', (form) => {
  async function formOf(name: string, text: string) {
    const { findings, workloads } = await check(parseSource(name, text));
    expect(errorsOf({ findings })).toEqual([]);
    return forms[form](workloads[0]!.manifest, workloads[0]!.parameters);
  }

  test.for(names)('of %s', async (name) => {
    const { text, notes } = await formOf(name, readFileSync(directory + name, 'utf8'));
    const golden = directory + name.replace(/yaml$/, `${form}.yaml`);
    const said = directory + name.replace(/yaml$/, `${form}.txt`);
    if (process.env.UPDATE) {
      writeFileSync(golden, text);
      writeFileSync(said, notes.map((note) => `${note}\n`).join(''));
    }
    expect(text).toBe(readFileSync(golden, 'utf8'));
    expect(notes.map((note) => `${note}\n`).join('')).toBe(readFileSync(said, 'utf8'));
  });

  test.for(names)('of %s has no native sidecar, is right, and is its own', async (name) => {
    const { text } = await formOf(name, readFileSync(directory + name, 'utf8'));
    const { findings, workloads } = await check(parseSource(name, text));
    expect(errorsOf({ findings })).toEqual([]);
    expect(containersOf(workloads[0]!.manifest.pod).filter(({ kind }) => kind === 'sidecar')).toEqual([]);
    expect((await formOf(name, text)).text).toBe(text);
  });
});
