// Runs a program in its own process group: nothing it starts outlives it, nothing it says fills the memory.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { defineErrors, reasonOf } from './errors.ts';
import type { Log } from './log.ts';
import { endGroup, signalGroup, track, zombies } from './process-group.ts';

export type Program = {
  /** Program and arguments. There is no shell unless this names one. */
  readonly command: readonly string[];
  /** The whole of its environment; `passedOn` has what most programs need. */
  readonly env: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Ends the whole group: SIGTERM, `grace` milliseconds, SIGKILL. */
  readonly signal: AbortSignal;
  readonly grace?: number;
  /** Bytes of its output that are kept, the last ones. */
  readonly outputLimit?: number;
  /** Told once in the life of this process when dead processes gather. */
  readonly log?: Log;
};

/** It could not be started, or ended with anything but exit code 0; the message says how, and the last it said. */
export class ProgramError extends Error {
  readonly exitCode: number | undefined;
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | undefined;
  /** The end of what it said. */
  readonly output: string;

  constructor(program: string, { how, exitCode, signal, output = '' }: Ending) {
    const last = output.trimEnd().split('\n').at(-1)?.trim();
    super(`${program} ${how}${last ? `: ${last}` : ''}`);
    this.name = 'ProgramError';
    this.exitCode = exitCode;
    this.signal = signal;
    this.output = output;
  }
}

type Ending = {
  readonly how: string;
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  readonly output?: string;
};

export const programErrors = defineErrors({
  PROGRAM_ZOMBIES: {
    message: '{count} dead processes hang on this one, which is process 1 and did not start them',
    hint: 'Start the sidecar under an init such as tini (tini -- sidecar), or set shareProcessNamespace: true',
  },
});

/** Of this process's environment, what a program may need whatever it does, and what makes it count to this container. */
const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'OUTRIGGER_POD_ID', 'OUTRIGGER_CONTAINER'];

/** Those variables of this process that are set, and no others. @param more names of further ones */
export const passedOn = (more: readonly string[] = []): Record<string, string> =>
  Object.fromEntries(
    [...passed, ...more].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Resolves with the end of what it said, stdout and stderr as they came, when it ends with exit code 0. Rejects with a
 * ProgramError or, once its group has ended, with the signal's reason. What it leaves behind in its group is ended with
 * it; what took a session of its own (a daemon) is not.
 */
export async function runProgram(program: Program): Promise<string> {
  const { signal, grace, outputLimit = 64 * 1024, log } = program;
  signal.throwIfAborted();
  if (log) watchZombies(log);
  const name = program.command[0]!;
  const child = await start(program);
  const tail = new Tail(outputLimit);
  child.stdout.on('data', (chunk: Buffer) => tail.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => tail.add(chunk));
  // In the very event: as long as its leader is not waited for, no other group can have its number.
  child.once('exit', () => signalGroup(child, 'SIGKILL'));
  let ended: Promise<void> | undefined;
  const end = () => {
    ended = endGroup(child, grace);
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    await finished(child);
  } catch (error) {
    throw new ProgramError(name, { how: `cannot be started: ${startProblem(error, program)}` });
  } finally {
    signal.removeEventListener('abort', end);
    await ended;
  }
  signal.throwIfAborted();
  const output = tail.text();
  const { exitCode, signalCode } = child;
  if (signalCode) throw new ProgramError(name, { how: `was ended by ${signalCode}`, signal: signalCode, output });
  if (exitCode) throw new ProgramError(name, { how: `ended with exit code ${exitCode}`, exitCode, output });
  return output;
}

async function start(program: Program) {
  // Half a megabyte that a sidecar which starts no program does without.
  const { spawn } = await import('node:child_process');
  program.signal.throwIfAborted();
  const [name = '', ...args] = program.command;
  const { env, directory = '/' } = program;
  try {
    const child = spawn(name, args, { env, cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    track(child);
    return child;
  } catch (error) {
    // Most failures come as an event, arguments that are too long do not.
    throw new ProgramError(name, { how: `cannot be started: ${startProblem(error, program)}` });
  }
}

function startProblem(error: unknown, { directory = '/' }: Program): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return existsSync(directory) ? 'no such program' : `no directory "${directory}"`;
  return code === 'EACCES' ? 'no permission to run it' : reasonOf(error);
}

// With the leader and its group dead only a daemon can hold the output open, and nobody waits for that.
const lastWords = 500;

async function finished(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  await once(child, 'exit');
  await Promise.race([closed, delay(lastWords, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** The last bytes of what comes. */
class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - this.#chunks[0]!.length >= this.#limit) {
      const { length } = this.#chunks.shift()!;
      this.#size -= length;
      this.#dropped += length;
    }
  }

  text(): string {
    const kept = Buffer.concat(this.#chunks);
    const dropped = this.#dropped + Math.max(0, kept.length - this.#limit);
    const text = kept.subarray(-this.#limit).toString();
    return dropped > 0 ? `(${dropped} bytes before) ${text}` : text;
  }
}

let warned = false;

/** Looks at what earlier programs left: the one that has just ended is still dying. */
function watchZombies(log: Log): void {
  const count = process.pid === 1 && !warned ? zombies() : 0;
  if (count === 0) return;
  warned = true;
  log.warn(programErrors.PROGRAM_ZOMBIES({ count }));
}
