// What compose writes down, given to the programs it is written for: kubectl, kustomize and Docker Compose.

import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { behavesAsDemo, type Demo, untilServing } from '@outrigger/example-billing/demo';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Addition } from '../../packages/pod/src/compose/addition.ts';
import { applied } from '../../packages/pod/src/compose/apply.ts';
import { startComposeDemo } from './compose-demo.ts';
import { type NewerPrograms, unpackNewerPrograms } from './newer-programs.ts';

const run = promisify(execFile);
const cases = fileURLToPath(new URL('../../packages/pod/test/cases/output/', import.meta.url));
const names = readdirSync(cases);

let directory: Scratch;
let programs: NewerPrograms;

beforeAll(async () => {
  directory = await scratch();
  programs = await unpackNewerPrograms(directory.join('debian'));
}, 300_000);

afterAll(() => directory?.[Symbol.asyncDispose](), 60_000);

const golden = (name: string, path: string) => `${cases}${name}/${path}`;

/** The workload alone, and what its additions make of it. */
async function workloadOf(name: string): Promise<{ original: string; composed: string; value: unknown }> {
  const [document] = parseAllDocuments(readFileSync(golden(name, 'workload.yaml'), 'utf8'));
  const workload = document!.toJS();
  const additions = parse(readFileSync(golden(name, 'additions.yaml'), 'utf8')) as Addition[];
  const value = applied(workload, additions);
  const [original, composed] = [directory.join(`${name}.json`), directory.join(`${name}.composed.json`)];
  await writeFile(original, JSON.stringify(workload));
  await writeFile(composed, JSON.stringify(value));
  return { original, composed, value };
}

async function patched(file: string, ...patch: readonly string[]): Promise<unknown> {
  const words = ['patch', '--local', '--filename', file, ...patch, '--output', 'json'];
  return JSON.parse((await run(programs.kubectl, words, { timeout: 30_000 })).stdout);
}

/** What kubectl prints of a file: the fields of the API's types, some of which are never left out. */
const printed = (file: string) => patched(file, '--type', 'merge', '--patch', '{}');

/** The order of volumes and their mounts means nothing. */
const unordered = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, each) =>
      ['volumes', 'volumeMounts'].includes(key) && Array.isArray(each)
        ? each.map((item) => JSON.stringify(item, Object.keys(item).toSorted())).toSorted()
        : each,
    ),
  );

describe.each(names)('%s', (name) => {
  test('kubectl makes of the JSON patch what the additions make, once', async () => {
    const { original, composed } = await workloadOf(name);
    const patch = ['--type', 'json', '--patch-file', golden(name, 'json-patch/patch.json')];
    expect(await patched(original, ...patch)).toEqual(await printed(composed));
    await expect(patched(composed, ...patch)).rejects.toThrow(/test.*failed/);
  });

  test('kubectl makes of the strategic-merge patch what the additions make, as often as one likes', async () => {
    const { original, composed } = await workloadOf(name);
    const patch = ['--type', 'strategic', '--patch-file', golden(name, 'strategic-merge/patch.yaml')];
    const wanted = unordered(await printed(composed));
    expect(unordered(await patched(original, ...patch))).toEqual(wanted);
    expect(unordered(await patched(composed, ...patch))).toEqual(wanted);
  });

  test('kustomize makes of the component what the additions make', async () => {
    const { original, value } = await workloadOf(name);
    const place = directory.join(`kustomize-${name}`);
    await mkdir(place);
    cpSync(golden(name, 'kustomize'), `${place}/outrigger`, { recursive: true });
    cpSync(original, `${place}/workload.yaml`);
    await writeFile(`${place}/kustomization.yaml`, 'resources: [workload.yaml]\ncomponents: [./outrigger]\n');
    const { stdout } = await run(programs.kustomize, ['build', place], { timeout: 30_000 });
    expect(unordered(parse(stdout))).toEqual(unordered(value));
  });

  test('Docker Compose takes the Compose file', async () => {
    const words = ['--file', golden(name, 'compose/compose.yaml'), 'config', '--quiet'];
    await run(programs['docker-compose'], words, { timeout: 30_000 });
  });
});

describe('the demo as a Compose file', () => {
  let demo: Demo & AsyncDisposable;

  beforeAll(async () => {
    demo = await startComposeDemo(programs['docker-compose']);
    await untilServing(demo, 60_000);
  }, 240_000);

  afterAll(() => demo?.[Symbol.asyncDispose](), 120_000);

  behavesAsDemo(() => demo);
});
