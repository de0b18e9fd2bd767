// compose, diff, upgrade and remove as they are typed.

import { cp, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { outrigger } from '../outrigger.ts';

const cases = fileURLToPath(new URL('../cases/compose/', import.meta.url));

async function deployment() {
  const directory = await scratch();
  await cp(`${cases}deployment`, directory.path, { recursive: true });
  return {
    workload: directory.join('workload.yaml'),
    list: directory.join('sidecars.yaml'),
    directory,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

test('a list in, the composed manifest out; then diff is silent, and remove gives back the original', async () => {
  await using place = await deployment();
  const { workload, list } = place;
  const original = await readFile(workload, 'utf8');
  const composed = await readFile(`${cases}deployment/expected.yaml`, 'utf8');
  expect(await outrigger('compose', workload, '--sidecars', list)).toEqual(done(composed));
  const before = await outrigger('diff', workload, `--sidecars=${list}`);
  expect(before.code).toBe(1);
  expect(before.stdout).toMatch(/^--- .*\n\+\+\+ .* \(composed\)\n@@ /);
  expect(before.stdout).toContain('+        - name: proxy\n');

  expect(await outrigger('compose', workload, '--sidecars', list, '--write')).toEqual(done(''));
  expect(await readFile(workload, 'utf8')).toBe(composed);
  expect(await outrigger('diff', workload)).toEqual(done(''));
  expect(await outrigger('remove', workload)).toEqual(done(original));
});

test('upgrade composes anew with another list, and only what was composed', async () => {
  await using place = await deployment();
  const { workload, list, directory } = place;
  const refused = await outrigger('upgrade', workload, '--sidecars', list);
  expect(refused).toMatchObject({ code: 64, stdout: '' });
  expect(refused.stderr).toContain('nothing was composed here yet');
  await outrigger('compose', workload, '--sidecars', list, '--write');
  await writeFile(directory.join('other.yaml'), 'sidecars: [{ role: monitor }]\n');
  const other = await outrigger(
    'compose',
    `${cases}deployment/workload.yaml`,
    '--sidecars',
    directory.join('other.yaml'),
  );
  expect(await outrigger('upgrade', workload, '--sidecars', directory.join('other.yaml'))).toEqual(other);
});

test('what a link leads to is written, with its mode', async () => {
  await using place = await deployment();
  const { workload, list, directory } = place;
  await symlink(workload, directory.join('link.yaml'));
  const { mode } = await stat(workload);
  await outrigger('compose', directory.join('link.yaml'), '--sidecars', list, '--write');
  expect(await readFile(workload, 'utf8')).toBe(await readFile(`${cases}deployment/expected.yaml`, 'utf8'));
  expect((await stat(workload)).mode).toBe(mode);
});

test('another output is printed alone, and several files want a directory', async () => {
  await using place = await deployment();
  const { workload, list, directory } = place;
  const patch = await outrigger('compose', workload, '--sidecars', list, '--output=strategic-merge');
  expect(patch.stdout).toBe(await readFile(`${cases}deployment/outputs/strategic-merge.patch.yaml`, 'utf8'));
  const refused = await outrigger('compose', workload, '--sidecars', list, '--output=kustomize');
  expect(refused).toMatchObject({ code: 64, stdout: '' });
  expect(refused.stderr).toContain('give --directory');
  const to = directory.join('outrigger');
  await outrigger('compose', workload, '--sidecars', list, '--output=kustomize', '--directory', to);
  expect(await readFile(`${to}/kustomization.yaml`, 'utf8')).toContain('kind: Component');
});

test('the composed manifest in its form for podman', async () => {
  await using place = await deployment();
  const { code, stdout } = await outrigger('compose', place.workload, '--sidecars', place.list, '--form=podman');
  expect(code).toBe(0);
  expect(stdout).not.toContain('restartPolicy: Always');
  expect(stdout).toContain('command: [sidecar, health, startup]');
});

test('what stands in the way ends with 64, each with its line', async () => {
  const directory = `${cases}conflicts/`;
  const { code, stdout, stderr } = await outrigger(
    'compose',
    `${directory}workload.yaml`,
    '--sidecars',
    `${directory}sidecars.yaml`,
  );
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain('sidecars.yaml:2:5: error: sidecars[0].name: the workload has a container "proxy" already');
  expect(stderr).toMatch(/10 errors, 0 warnings\n$/);
});

test.for([
  [
    ['compose', 'WORKLOAD'],
    'a list of sidecars is expected: --sidecars, or the annotation outrigger.dev/sidecars of the Pod',
  ],
  [
    ['compose', 'WORKLOAD', '--workload=Deployment/wep'],
    'there is no Deployment/wep in the file; did you mean Deployment/web?',
  ],
  [['compose', 'WORKLOAD', '--form=plain', '--write'], '--write is for the manifest itself'],
  [['compose', 'WORKLOAD', '--directory=x'], '--directory is for the files of another --output'],
  [['diff', 'WORKLOAD', '--sidecars=/no/such/file'], '/no/such/file: no such file'],
  [['remove', '/no/such/file'], '/no/such/file: no such file'],
] as const)('%j is refused', async ([words, message]) => {
  const argv = words.map((word) => (word === 'WORKLOAD' ? `${cases}deployment/workload.yaml` : word));
  const { code, stderr } = await outrigger(...argv);
  expect(code).toBe(64);
  expect(stderr).toContain(message);
});
