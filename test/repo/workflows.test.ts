// What a workflow may do: nothing that it does not need, and with nothing that somebody else may change under it.

import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSource } from '../../packages/pod/src/manifest/source.ts';

const root = resolve(import.meta.dirname, '../..');

type Step = { readonly uses?: string; readonly run?: string; readonly with?: Readonly<Record<string, unknown>> };
type Job = {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly steps: readonly Step[];
  readonly 'timeout-minutes'?: number;
};
type Workflow = {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
};

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const open = (file: string) => parseSource(file, read(file)).documents[0]!.value as Workflow;
const files = globSync('.github/workflows/*', { cwd: root }).toSorted();

describe.each(files)('%s', (file) => {
  const jobs = Object.entries(open(file).jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  test('pins every action to a commit and names its version beside it', () => {
    const used = [...read(file).matchAll(/uses: (\S+)(.*)/g)];
    expect(used.length).toBe(steps.filter(({ uses }) => uses).length);
    for (const [, action, comment] of used) {
      expect(action).toMatch(/^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
  });

  test('leaves no token in the clone, and every job ends', () => {
    for (const { uses = '', with: given } of steps)
      if (uses.startsWith('actions/checkout@')) expect(given).toMatchObject({ 'persist-credentials': false });
    for (const [, job] of jobs) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('puts nothing that others write into a script: values come by the environment', () => {
    expect(steps.filter(({ run }) => run?.includes('${{')).map(({ run }) => run)).toEqual([]);
  });

  test('names no registry: it is a variable of the repository', () => {
    expect(read(file)).not.toMatch(/\b(docker\.io|ghcr\.io|quay\.io|gcr\.io|registry\.npmjs|azurecr|amazonaws)/);
  });
});

test('a release gives each job the permissions that it needs, and those that publish wait for the environment', () => {
  const { permissions, jobs } = open('.github/workflows/release.yaml');
  expect(permissions).toEqual({});
  expect(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.permissions]))).toEqual({
    test: { contents: 'read' },
    build: { contents: 'read' },
    images: { contents: 'read', 'id-token': 'write' },
    packages: { contents: 'read', 'id-token': 'write' },
    notes: { contents: 'write' },
  });
  const signing = Object.entries(jobs).filter(([, job]) => job.permissions?.['id-token']);
  expect(signing.map(([, { environment }]) => environment)).toEqual(['release', 'release']);
});
