// A real bare repository and a working copy that pushes to it.

import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const environment = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

export async function git(...args: string[]): Promise<string> {
  const { stdout } = await execute('git', args, { env: environment, cwd: '/' });
  return stdout.trim();
}

export type Remote = {
  /** Of the bare repository. */
  readonly path: string;
  readonly url: string;
  /** Of the working copy. */
  readonly copy: string;
  /** Writes the files, commits and pushes; resolves with the commit. */
  push(files: Readonly<Record<string, string>>, options?: { branch?: string; force?: boolean }): Promise<string>;
  /** Commits on top of main, one for each set of files, made but not pushed: quicker than one by one. */
  prepare(sets: readonly Readonly<Record<string, string>>[]): Promise<string[]>;
  /** git in the working copy. */
  git(...args: string[]): Promise<string>;
};

/** An empty bare repository whose HEAD is main. */
export async function makeRemote(directory: string, name = 'site.git'): Promise<Remote> {
  const path = join(directory, name);
  const copy = join(directory, `${name}.copy`);
  await rm(path, { recursive: true, force: true });
  await rm(copy, { recursive: true, force: true });
  await git('init', '--quiet', '--bare', '--initial-branch=main', path);
  await git('init', '--quiet', '--initial-branch=main', copy);
  const inCopy = (...args: string[]) => git('-C', copy, ...args);
  return {
    path,
    url: `file://${path}`,
    copy,
    git: inCopy,
    async push(files, { branch = 'main', force = false } = {}) {
      await Promise.all(Object.entries(files).map(([file, content]) => writeFile(join(copy, file), content)));
      await inCopy('add', '--all');
      await inCopy('commit', '--quiet', '--allow-empty', '--message', 'Change');
      await inCopy('push', '--quiet', ...(force ? ['--force'] : []), path, `HEAD:refs/heads/${branch}`);
      return inCopy('rev-parse', 'HEAD');
    },
    async prepare(sets) {
      const marks = join(directory, `${name}.marks`);
      const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
      const commits = sets.map((files, i) =>
        [
          `commit refs/heads/prepared\nmark :${i + 1}\ncommitter Test <test@example.com> ${i} +0000\n${data('Change')}`,
          ...(i === 0 ? ['from refs/heads/main\n'] : []),
          ...Object.entries(files).map(([file, content]) => `M 644 inline ${file}\n${data(content)}`),
        ].join(''),
      );
      const importing = execute('git', ['-C', copy, 'fast-import', '--quiet', `--export-marks=${marks}`], {
        env: environment,
      });
      importing.child.stdin!.end(commits.join(''));
      await importing;
      const lines = (await readFile(marks, 'utf8')).trim().split('\n');
      const byMark = new Map(lines.map((line) => line.split(' ') as [string, string]));
      return sets.map((_, i) => byMark.get(`:${i + 1}`)!);
    },
  };
}
