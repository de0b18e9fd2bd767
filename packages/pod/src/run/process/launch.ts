// One process in a group of its own, so that the terminal's Ctrl-C reaches nobody before we say so.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { wait } from '@outrigger/core';
import { kill } from './strays.ts';

export type Program = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

/** As a shell counts: 128 + n after signal n, 127 and 126 when it could not be started. */
export type Exit = {
  readonly code: number;
  readonly reason: string;
  /** What killed it. */
  readonly signal?: NodeJS.Signals;
  /** On the clock of performance.now(): what is left of its group may keep `exited` waiting. */
  readonly at?: number;
};

export type Running = {
  readonly pid: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the program itself has ended and its last words are read; the rest of its group is killed then, as a
   * container's would be.
   */
  readonly exited: Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** The whole group, at once. */
  kill(): void;
};

const drainMilliseconds = 250;

const alive = new Set<Running>();

/** The last resort, when this process ends without having stopped the Pod. */
export function killAll(): void {
  for (const running of alive) running.kill();
}

export function launch({ file, args, env, cwd }: Program): Running {
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const killGroup = () => {
    if (child.pid !== undefined) kill(-child.pid);
  };
  const closed = new Promise((resolve) => child.once('close', resolve));
  const running: Running = {
    pid: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: exitOf(child, file).finally(async () => {
      alive.delete(running);
      killGroup();
      // A daemon that left the group may hold the pipes open for ever.
      await Promise.race([closed, wait(drainMilliseconds)]);
    }),
    // Only the program itself: in a container, too, the signal goes to the first process.
    signal: (name) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(name);
    },
    kill: killGroup,
  };
  alive.add(running);
  return running;
}

function exitOf(child: ChildProcess, file: string): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // An error after the start (a signal that could not be sent) is not an end.
      if (child.pid === undefined) resolve({ code: error.code === 'EACCES' ? 126 : 127, reason: refusal(error, file) });
    });
    child.once('exit', (code, signal) => resolve(describe(code, signal)));
  });
}

function describe(code: number | null, signal: NodeJS.Signals | null): Exit {
  const at = performance.now();
  if (signal === null) return { code: code ?? 0, reason: `exit code ${code}`, at };
  const number = 128 + constants.signals[signal];
  return { code: number, reason: `${signal}, exit code ${number}`, signal, at };
}

function refusal({ code, message }: NodeJS.ErrnoException, file: string): string {
  if (code === 'ENOENT') return `"${file}" cannot be started: it or its working directory does not exist`;
  if (code === 'EACCES') return `"${file}" cannot be started: no permission`;
  if (code === 'E2BIG') return `"${file}" cannot be started: arguments and environment are too long`;
  return `"${file}" cannot be started: ${message}`;
}
