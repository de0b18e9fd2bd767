import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Fault } from '@outrigger/core';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { fetchDocument } from '../../src/fetch.ts';

const reason = (path: string) =>
  fetchDocument({
    target: new URL(`file:${path}`),
    credentials: {},
    timeout: 2000,
    bodyLimit: 1000,
    signal: AbortSignal.timeout(2000),
  }).catch((error: unknown) => (error instanceof Fault ? error.message : String(error)));

test('a pipe that nobody writes to keeps nobody waiting, and a directory is no document', async () => {
  await using directory = await scratch();
  await promisify(execFile)('mkfifo', [directory.join('pipe')]);
  expect(await reason(directory.join('pipe'))).toContain('it is no regular file');
  expect(await reason(directory.path)).toContain('it is no regular file');
});
