// Real processes to look at, gone at the end of the test.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type RunningProcess = ChildProcess & AsyncDisposable & { readonly pid: number };

type Options = { readonly env?: Readonly<Record<string, string>>; readonly argv0?: string };

/** Speaks over stdin and stdout. */
export function runProcess(program: string, args: readonly string[], { env = {}, ...options }: Options = {}) {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...env },
    ...options,
  });
  return Object.assign(child, {
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  }) as RunningProcess;
}

/** What it prints next. */
export const said = async ({ stdout }: ChildProcess) => String((await once(stdout!, 'data'))[0]);

export const script = (text: string) => [process.execPath, ['--eval', text]] as const;
