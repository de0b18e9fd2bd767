// The link: what is there, and the swap. Whatever is not a link of ours is never touched.

import { lstat, mkdir, readlink } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { publishLink } from '@outrigger/core';
import { errors } from './errors.ts';
import { commitOf, isCommit, linkTarget, type Workspace } from './workspace.ts';

/** Where the link points, or undefined when there is none. Rejects with GIT_LINK_TAKEN when something else is there. */
export async function linkedTree({ link, treesDirectory }: Workspace): Promise<string | undefined> {
  let target: string;
  try {
    target = await readlink(link);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code !== 'EINVAL') throw error;
    const found = (await lstat(link)).isDirectory() ? 'a directory' : 'a file';
    throw errors.GIT_LINK_TAKEN({ link, found });
  }
  const tree = resolve(dirname(link), target);
  if (relative(treesDirectory, tree).startsWith('..') || !isCommit(commitOf(tree)))
    throw errors.GIT_LINK_TAKEN({ link, found: `a link to "${target}"` });
  return tree;
}

/** In one step: readers see the old tree or the new one. */
export async function publish(workspace: Workspace, tree: string): Promise<void> {
  await linkedTree(workspace);
  await mkdir(dirname(workspace.link), { recursive: true });
  await publishLink(workspace.link, linkTarget(workspace, tree));
}
