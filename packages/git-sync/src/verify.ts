// Whether a tree is what was committed, before anybody sees it.

import { errors } from './errors.ts';
import type { Git } from './git.ts';
import { commitOf } from './workspace.ts';

/**
 * Rejects when a file is missing or is something else, or when another commit is checked out. Resolves with `modified`
 * when files differ in content: right after a checkout that is git's own doing (line endings), later it is not.
 */
export async function verify(tree: string, git: Git, signal: AbortSignal): Promise<'whole' | 'modified'> {
  const commit = commitOf(tree);
  const status = await git.local(
    ['status', '--porcelain=v2', '--branch', '--untracked-files=no', '--ignore-submodules=all', '--no-renames'],
    signal,
    tree,
  );
  const lines = status.split('\n').filter((line) => line !== '');
  const oid = lines.find((line) => line.startsWith('# branch.oid '))?.slice(13);
  if (oid !== commit) throw errors.GIT_TREE_INCOMPLETE({ commit, difference: `${oid ?? 'nothing'} is checked out` });
  const changes = lines.filter((line) => !line.startsWith('#'));
  // `1 .M ...`: in the index as committed, modified on disk.
  const worse = changes.find((line) => !line.startsWith('1 .M '));
  if (worse) throw errors.GIT_TREE_INCOMPLETE({ commit, difference: worse });
  return changes.length === 0 ? 'whole' : 'modified';
}
