// Brings the commit and its tree into the local repository.

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from './git.ts';
import type { Head } from './poll.ts';
import type { Workspace } from './workspace.ts';

// A name of our own: it keeps what was fetched from being collected, and does not depend on what the remote calls it.
const fetched = 'refs/outrigger/fetched';

/** Resolves with the commit that came: when the reference moved since the poll, a newer one. */
export async function fetch(
  workspace: Workspace,
  git: Git,
  { head, signal }: { head: Head; signal: AbortSignal },
): Promise<string> {
  const { repository } = workspace;
  const options = ['--no-tags', '--no-auto-maintenance', '--no-recurse-submodules', '--no-write-fetch-head', '--force'];
  const history = await depthOption(workspace);
  await git.bring(['fetch', ...options, ...history, '--', repository.url, `+${head.ref}:${fetched}`], signal);
  return (await git.local(['rev-parse', '--verify', `${fetched}^{commit}`], signal)).trim();
}

async function depthOption({ depth, gitDirectory }: Workspace): Promise<string[]> {
  if (depth > 0) return [`--depth=${depth}`];
  // git refuses to complete what is complete already.
  return lstat(join(gitDirectory, 'shallow')).then(
    () => ['--unshallow'],
    () => [],
  );
}
