// Writes the tree of a commit into a directory that nobody sees yet.

import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Git } from './git.ts';
import type { Workspace } from './workspace.ts';

export type CheckOut = {
  readonly commit: string;
  /** The tree that readers may be using, or may be looking for. */
  readonly linked: string | undefined;
  readonly signal: AbortSignal;
};

/** Resolves with the new directory. When it rejects, nothing is left of it. */
export async function checkOut(workspace: Workspace, git: Git, { commit, linked, signal }: CheckOut): Promise<string> {
  const tree = await freeDirectory(workspace, commit, linked);
  try {
    await mkdir(dirname(tree), { recursive: true });
    await git.local(['worktree', 'add', '--force', '--detach', '--', tree, commit], signal);
    await makeRelative(tree);
    return tree;
  } catch (error) {
    await rm(tree, { recursive: true, force: true });
    throw error;
  }
}

/** Named after the commit. While another tree of the same commit is there, or the link points to where one was, beside it. */
async function freeDirectory(
  { treesDirectory }: Workspace,
  commit: string,
  linked: string | undefined,
): Promise<string> {
  const usual = join(treesDirectory, commit);
  const taken = await lstat(usual).then(
    () => true,
    () => false,
  );
  if (!taken && linked !== usual) return usual;
  return join(treesDirectory, `.again-${randomBytes(4).toString('hex')}`, commit);
}

/** git notes an absolute path, which the application would not find: it mounts the volume elsewhere. */
async function makeRelative(tree: string): Promise<void> {
  const file = join(tree, '.git');
  const [, path] = /^gitdir: (.+)\n?$/.exec(await readFile(file, 'utf8'))!;
  await writeFile(file, `gitdir: ${relative(tree, path!)}\n`);
}
