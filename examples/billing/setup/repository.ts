// A bare git repository with a first commit.

import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';

export type FirstCommit = {
  readonly branch: string;
  readonly file: string;
  readonly content: string;
  readonly message: string;
};

// Neither the machine's settings nor their absence may matter: many a git has no user.name.
const env = {
  ...process.env,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Billing demo',
  GIT_AUTHOR_EMAIL: 'demo@billing.example',
  GIT_COMMITTER_NAME: 'Billing demo',
  GIT_COMMITTER_EMAIL: 'demo@billing.example',
};

/** Leaves a repository that is there as it is. */
export function makeRepository(directory: string, { branch, file, content, message }: FirstCommit): void {
  if (existsSync(directory)) return;
  // Renamed into place when it is complete: setup may be killed and run again.
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  execFileSync('git', ['init', '--quiet', '--bare', unfinished], { env });
  const git = (args: readonly string[], input?: string) =>
    execFileSync('git', args, { env: { ...env, GIT_DIR: unfinished }, input, encoding: 'utf8' }).trim();
  const blob = git(['hash-object', '-w', '--stdin'], content);
  const tree = git(['mktree'], `100644 blob ${blob}\t${file}\n`);
  const commit = git(['commit-tree', tree, '-m', message]);
  git(['update-ref', `refs/heads/${branch}`, commit]);
  git(['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
  renameSync(unfinished, directory);
}
