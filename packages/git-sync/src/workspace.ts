// Where everything lies, as in kubernetes/git-sync v4: <root>/.git, <root>/.worktrees/<commit>, and the link.

import { access, constants, lstat, mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ParameterProblem } from '@outrigger/core';
import type { Reference } from './reference.ts';
import type { Repository } from './repository.ts';

export type Workspace = {
  readonly root: string;
  readonly gitDirectory: string;
  readonly treesDirectory: string;
  /** Absolute; may lie outside the root. */
  readonly link: string;
  /** What is known about the past, kept inside the git directory. */
  readonly stateFile: string;
  /** Stands in for the user's git configuration. */
  readonly configFile: string;
  readonly repository: Repository;
  readonly reference: Reference;
  readonly depth: number;
};

export type WorkspaceOptions = Pick<Workspace, 'repository' | 'reference' | 'depth'> & {
  readonly root: string;
  readonly link: string;
};

/** Makes the root when it is missing. Rejects with the parameter that is wrong. */
export async function openWorkspace({ root: written, link, ...rest }: WorkspaceOptions): Promise<Workspace> {
  const root = await makeRoot(written);
  const gitDirectory = join(root, '.git');
  const workspace = {
    ...rest,
    root,
    gitDirectory,
    treesDirectory: join(root, '.worktrees'),
    link: resolve(root, link),
    stateFile: join(gitDirectory, 'outrigger.json'),
    configFile: join(gitDirectory, 'outrigger.gitconfig'),
  };
  await refuseForeignRepository(workspace);
  return workspace;
}

async function makeRoot(written: string): Promise<string> {
  try {
    await mkdir(written, { recursive: true });
    const root = await realpath(written);
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
    return root;
  } catch (error) {
    throw new ParameterProblem('root', rootReason(error as NodeJS.ErrnoException), { cause: error });
  }
}

function rootReason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to write there';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'is not a directory';
  if (code === 'ENOENT') return 'cannot be made';
  return message;
}

/** A working copy of somebody's is neither written to nor made anew. */
async function refuseForeignRepository({ gitDirectory, stateFile }: Workspace): Promise<void> {
  const exists = (path: string) =>
    lstat(path).then(
      () => true,
      () => false,
    );
  if (!(await exists(gitDirectory)) || (await exists(stateFile))) return;
  const entries = await readdir(gitDirectory).catch(() => ['']);
  // Of git-sync v4, or one that was killed while it was made.
  const head = await readFile(join(gitDirectory, 'HEAD'), 'utf8').catch(() => 'ref: refs/heads/git-sync');
  if (entries.length === 0 || head.trim() === 'ref: refs/heads/git-sync') return;
  throw new ParameterProblem(
    'root',
    `"${gitDirectory}" is a repository of somebody else, a directory of its own is expected`,
  );
}

/** What is wrong with where the link is to be, or undefined. */
export function linkProblem(root: string, link: string): string | undefined {
  const from = resolve(root);
  const path = resolve(from, link);
  const inside = relative(from, path);
  if (inside === '' || relative(path, from) === '' || !relative(path, from).startsWith('..'))
    return 'is --root itself or holds it; a name for the link is expected';
  if (!isAbsolute(inside) && ['.git', '.worktrees'].includes(inside.split('/')[0]!))
    return '.git and .worktrees are used by the sidecar itself';
  return undefined;
}

/** The commit whose tree lies there: the name of its directory. */
export const commitOf = (tree: string) => basename(tree);

/** From where the link lies, so that it holds wherever the volume is mounted. */
export const linkTarget = ({ link }: Workspace, tree: string) => relative(dirname(link), tree);

export const isCommit = (name: string) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name);
