import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { outrigger } from '../outrigger.ts';

const cases = fileURLToPath(new URL('../cases/', import.meta.url));
const manifest = `${cases}plain/native.yaml`;

test('the native form is the manifest, byte for byte', async () => {
  expect(await outrigger('compose', '--form=native', manifest)).toEqual({
    code: 0,
    stdout: readFileSync(manifest, 'utf8'),
    stderr: '',
  });
});

test.for([
  ['plain', 'migrate runs before all sidecars'],
  ['podman', 'livenessProbe is left out'],
] as const)('the %s form goes to stdout, and what is lost to stderr', async ([form, lost]) => {
  const { code, stdout, stderr } = await outrigger('compose', '--form', form, manifest);
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(manifest.replace(/yaml$/, `${form}.yaml`), 'utf8'));
  expect(stderr).toContain(lost);
});

test('a wrong manifest is not printed in any form', async () => {
  const { code, stdout, stderr } = await outrigger('compose', '--form=plain', `${cases}check/ports.yaml`);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toMatch(/^6 errors, \d+ warnings$/m);
});
