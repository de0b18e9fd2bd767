// A program that may be signalled, as a real process with a name of its own.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { until } from '@outrigger/core/testing';

export type Program = AsyncDisposable & {
  readonly pid: number;
  /** Lines it printed so far. */
  readonly lines: string[];
  readonly exited: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
};

/** Prints `ready`, then `got SIGHUP <time>` for each SIGHUP; the time is that of the monotonic clock in nanoseconds. */
export const handlesSighup = `
process.on('SIGHUP', () => console.log('got SIGHUP ' + process.hrtime.bigint()));
setInterval(() => undefined, 1000);
console.log('ready');
`;

export type ProgramOptions = {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly ready?: boolean;
  readonly program?: string;
};

/** Runs the source under a path whose base name is the script's name. */
export async function startProgram(path: string, source: string, options: ProgramOptions = {}): Promise<Program> {
  const { env, uid, ready = true, program = process.execPath } = options;
  await writeFile(path, source);
  const child = spawn(program, [path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid }),
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
  });
  const exited = once(child, 'close');
  if (ready) await until(() => lines.includes('ready'), { what: `${basename(path)} to be ready` });
  return {
    pid: child.pid!,
    lines,
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Tests of several packages run at a time: each looks for a name that nobody else has. */
export const uniqueName = () => `app-${randomUUID().slice(0, 8)}.cjs`;
