// The real command as a child process, in a scratch directory, and a look at what it leaves behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { expect } from 'vitest';
import { type TestPod, writePod } from './write-pod.ts';

const main = fileURLToPath(import.meta.resolve('../src/main.ts'));

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type RunningCommand = AsyncDisposable & {
  readonly directory: Scratch;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly exited: Promise<Exit>;
  readonly process: ChildProcess;
  /** What a container printed, or `outrigger` said, so far. */
  lines(name: string): string[];
  /** Waits until somebody printed a line that holds the text. */
  said(text: string | RegExp): Promise<string>;
  ready(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Ctrl-C, until it is gone. */
  stop(): Promise<Exit>;
  /** Processes that it started and that are still there. */
  processes(): number[];
};

type Options = { readonly directory?: Scratch; readonly args?: readonly string[]; readonly stdin?: string };

/** `outrigger run` of a Pod. What it leaves behind fails the test. */
export async function runPod(pod: TestPod | string, { directory, args = [] }: Options = {}): Promise<RunningCommand> {
  const place = directory ?? (await scratch());
  const file = typeof pod === 'string' ? pod : await writePod(place.path, pod);
  return startOutrigger(['run', file, ...args], { directory: place });
}

/** Any command, to its end. */
export async function outrigger(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using command = startOutrigger(args, { directory: await scratch() });
  const { code } = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** What it leaves behind fails the test. */
export function startOutrigger(args: readonly string[], { directory }: { directory: Scratch }): RunningCommand {
  const temporary = directory.join('tmp');
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [main, ...args], {
    cwd: directory.path,
    // Whatever it starts inherits this directory's name: it is how processes of this test are told from others.
    env: {
      ...process.env,
      TMPDIR: temporary,
      NO_COLOR: '1',
      TEST_OF_OUTRIGGER: directory.path,
      OUTRIGGER_LOG_LEVEL: 'trace',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const everything = () => `${output.stdout}${output.stderr}`;
  const command: RunningCommand = {
    directory,
    pid: child.pid!,
    process: child,
    exited,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    lines: (name) =>
      output.stdout.split('\n').flatMap((line) => {
        const match = /^(\S+) *\| (.*)$/.exec(line);
        return match?.[1] === name ? [match[2]!] : [];
      }),
    said: (text) =>
      until(
        () =>
          everything()
            .split('\n')
            .find((line) => (typeof text === 'string' ? line.includes(text) : text.test(line))),
        {
          deadline: 30_000,
          what: () => `"${text}"; it said:\n${everything()}`,
        },
      ),
    ready: () => command.said('is ready after'),
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGINT');
      return exited;
    },
    processes: () => processesWith(`TEST_OF_OUTRIGGER=${directory.path}`).filter((pid) => pid !== child.pid),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
      const left = { processes: command.processes(), files: readdirSync(temporary) };
      for (const pid of left.processes) process.kill(pid, 'SIGKILL');
      await directory[Symbol.asyncDispose]();
      expect(left, everything()).toEqual({ processes: [], files: [] });
    },
  };
  return command;
}

function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && environmentOf(pid).includes(variable) && !isZombie(pid));
}

const readIfThere = (path: string) => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};
const environmentOf = (pid: number) => readIfThere(`/proc/${pid}/environ`).split('\0');
const isZombie = (pid: number) => / Z /.test(readIfThere(`/proc/${pid}/stat`).replace(/^.*\)/, ''));
