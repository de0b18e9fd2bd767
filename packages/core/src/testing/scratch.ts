// A directory of a test's own, gone afterwards.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

export type Scratch = AsyncDisposable & { readonly path: string; join(...parts: string[]): string };

export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'outrigger-test-'));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    async [Symbol.asyncDispose]() {
      // What a process that was just killed had started may still write for a moment.
      await until(() => rm(path, { recursive: true, force: true }).then(() => true, isFilling), {
        what: `the end of writing to ${path}`,
      });
    },
  };
}

/** False when it is to be tried again. */
function isFilling(error: NodeJS.ErrnoException): boolean {
  if (error.code !== 'ENOTEMPTY') throw error;
  return false;
}
