// A directory of a test's own, gone afterwards.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Scratch = AsyncDisposable & { readonly path: string; join(...parts: string[]): string };

export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'outrigger-test-'));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    // What a process that was just killed had started may still write for a moment.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}
