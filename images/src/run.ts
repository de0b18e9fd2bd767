// Programs that the build calls.

import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './images.ts';

/** Its output. What it says on stderr is shown; throws when it fails. */
export function run(program: string, args: readonly string[], cwd: string = root): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 600_000,
    maxBuffer: 64 << 20,
  }).trimEnd();
}

/** The same for what may fail: undefined then. */
export function attempt(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? stdout.trimEnd() : undefined;
}

/** Outside of a clone there is no commit to name. */
export const git = (...args: readonly string[]): string | undefined =>
  attempt('git', ['-c', `safe.directory=${root.replace(/\/$/, '')}`, ...args]);

/** Those of the programs that are not on the path. */
export function missing(programs: readonly string[]): string[] {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return programs.filter((program) => !directories.some((directory) => isExecutable(join(directory, program))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
