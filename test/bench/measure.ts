// What a process costs: private memory, CPU, and how soon it answers. Linux.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { dirname } from 'node:path';
import { wait } from '@outrigger/core';

export type Subject = {
  readonly name: string;
  readonly command: readonly string[];
  /** Answers 200 once it is ready. */
  readonly url: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** A process that answers. Times are milliseconds from its start to the first 200. */
export type Measured = AsyncDisposable & {
  readonly pid: number;
  readonly ready: number;
  readonly readyCpu: number;
};

/** An executable bundle finds the Node of this run. */
const path = `${dirname(process.execPath)}:${process.env.PATH}`;

export async function start({ name, command: [program, ...args], url, env }: Subject): Promise<Measured> {
  const begun = performance.now();
  const child = spawn(program!, args, { stdio: 'ignore', env: { PATH: path, NODE_ENV: 'production', ...env } });
  try {
    // Soon again: the pause is part of the figure.
    while ((await ask(url)) !== 200) {
      if (child.exitCode !== null) throw new Error(`${name} exited with ${child.exitCode}`);
      if (performance.now() - begun > 20_000) throw new Error(`${name} was not ready in time`);
      await wait(3);
    }
  } catch (error) {
    await end(child);
    throw error;
  }
  const ready = performance.now() - begun;
  const pid = child.pid!;
  return { pid, ready, readyCpu: cpuMilliseconds(pid), [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The status, undefined while nothing answers. A connection of its own, as probes have. */
export function ask(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', () => resolve(undefined));
  });
}

/**
 * Pages that no other process shares and that hold data, in MiB; the binary's own are shared by all sidecars of a node.
 * Waits until the figure stays the same for a while, in milliseconds.
 */
export async function settledMemory(pid: number, stable: number): Promise<number> {
  let settled = privateMemory(pid);
  // One that never comes to rest is measured as it is.
  const end = performance.now() + 6 * stable;
  for (let since = performance.now(); performance.now() < Math.min(since + stable, end); await wait(250)) {
    const now = privateMemory(pid);
    if (Math.abs(now - settled) < 0.1) continue;
    settled = now;
    since = performance.now();
  }
  return privateMemory(pid);
}

const privateMemory = (pid: number): number =>
  Number(/^Private_Dirty:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]) / 1024;

/** Of all its threads, so far. */
export function cpuMilliseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((total, thread) => total + schedulerNanoseconds(pid, thread), 0) / 1e6;
}

function schedulerNanoseconds(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    // It ended since its directory was read.
    return 0;
  }
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Of a table that goes into a README. */
export const heading = (what: string): string =>
  `\n${what}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}\n\n`;
