import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { outrigger } from '../outrigger.ts';

const cases = fileURLToPath(new URL('../cases/check/', import.meta.url));

test('a right manifest exits 0, one with errors 64', async () => {
  const right = await outrigger('check', `${cases}right.yaml`);
  expect(right).toEqual({ code: 0, stdout: `${cases}right.yaml: all is right\n`, stderr: '' });
  const wrong = await outrigger('check', `${cases}ports.yaml`);
  expect(wrong.code).toBe(64);
  expect(wrong.stdout).toMatch(/ports\.yaml:14:34: error: .*\n(.*\n)*6 errors, \d+ warnings\n$/);
});

test('warnings alone exit 0', async () => {
  await using dir = await scratch();
  await writeFile(
    dir.join('pod.yaml'),
    'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: a, livenessProbe: {tcpSocket: {port: 1}}}]}\n',
  );
  const { code, stdout } = await outrigger('check', dir.join('pod.yaml'));
  expect(stdout).toMatch(/warning: .*\n0 errors, \d+ warnings\n$/);
  expect(code).toBe(0);
});

test('--json prints the findings with their places and rules', async () => {
  const { code, stdout } = await outrigger('check', '--json', `${cases}ports.yaml`);
  expect(code).toBe(64);
  expect(JSON.parse(stdout)).toContainEqual({
    line: 14,
    column: 34,
    severity: 'error',
    rule: 'probe-ports',
    file: `${cases}ports.yaml`,
    path: 'spec.initContainers[1].startupProbe.httpGet.port',
    message: 'the container declares no port named "admin"',
  });
});

test('broken YAML is one line for each break', async () => {
  await using dir = await scratch();
  await writeFile(
    dir.join('pod.yaml'),
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  name: b\nspec: {\n  containers: []\n',
  );
  const { code, stdout } = await outrigger('check', dir.join('pod.yaml'));
  expect(code).toBe(64);
  expect(stdout.split('\n').map((line) => line.replace(/^.*pod\.yaml:/, ''))).toEqual([
    '5:3: error: Map keys must be unique',
    '8:1: error: Flow map in block collection must be sufficiently indented and end with a }',
    '2 errors, 0 warnings',
    '',
  ]);
});

test('a file that is not there is one line', async () => {
  expect(await outrigger('check', '/no/such/pod.yaml')).toEqual({
    code: 64,
    stdout: '',
    stderr: '/no/such/pod.yaml: no such file\n',
  });
});
