// The local repository: made, put in order after a crash, made anew when it is broken. Published trees do not depend on it.

import { lstat, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishFile } from '@outrigger/core';
import type { Git } from './git.ts';
import type { Workspace } from './workspace.ts';

export class Store {
  readonly #workspace: Workspace;
  readonly #git: Git;

  constructor(workspace: Workspace, git: Git) {
    this.#workspace = workspace;
    this.#git = git;
  }

  /** After a start: whatever the last run left, the repository is there and usable. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#removeReplaced();
    const exists = await lstat(join(this.#workspace.gitDirectory, 'HEAD')).then(
      () => true,
      () => false,
    );
    if (!exists) return this.#make(signal);
    await this.#configure();
    await this.sweep();
  }

  /** Removes what a git that was killed leaves: locks that would stop the next one, half-received packs that fill the disk. */
  async sweep(): Promise<void> {
    const { gitDirectory } = this.#workspace;
    const entries = await readdir(gitDirectory, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isFile() && (entry.name.endsWith('.lock') || entry.name.startsWith('tmp_')))
        await rm(join(entry.parentPath, entry.name), { force: true });
    }
  }

  /** The broken one goes only when the new one stands. */
  async recreate(signal: AbortSignal): Promise<void> {
    const { gitDirectory, root } = this.#workspace;
    await rename(gitDirectory, join(root, `${replacedPrefix}${Date.now()}`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await this.#make(signal);
    await this.#removeReplaced();
  }

  /** Forgets trees that are gone, and objects that nothing reaches any more when there are many. */
  async collectGarbage(signal: AbortSignal): Promise<void> {
    await this.#git.local(['worktree', 'prune', '--verbose', '--expire=now'], signal);
    await this.#git.local(['gc', '--auto', '--quiet'], signal);
  }

  async #make(signal: AbortSignal): Promise<void> {
    const { root, gitDirectory, stateFile } = this.#workspace;
    await mkdir(gitDirectory, { recursive: true });
    await this.#configure();
    // Marks the repository as ours before there is anything in it.
    await publishFile(stateFile, '{}\n');
    await this.#git.local(['init', '--quiet', '--template=', '--initial-branch=git-sync', root], signal);
  }

  /** git serves a local repository of another user only when told that it is trusted; naming it in --repo says so. */
  async #configure(): Promise<void> {
    const { configFile, repository } = this.#workspace;
    const { path } = repository;
    const real = path && (await realpath(path).catch(() => path));
    const trusted = path ? [...new Set([path, real!])].flatMap((each) => [each, join(each, '.git')]) : [];
    const lines = trusted.map((each) => `\tdirectory = ${JSON.stringify(each)}\n`);
    await writeFile(configFile, lines.length > 0 ? `[safe]\n${lines.join('')}` : '');
  }

  async #removeReplaced(): Promise<void> {
    const { root } = this.#workspace;
    for (const name of await readdir(root)) {
      if (name.startsWith(replacedPrefix)) await rm(join(root, name), { recursive: true, force: true });
    }
  }
}

const replacedPrefix = '.git.replaced-';
