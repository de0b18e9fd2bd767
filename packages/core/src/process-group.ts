// Programs as leaders of process groups of their own: what they start is ended with them.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { pause } from './every.ts';

const defaultGrace = 2_000;
const running = new Set<ChildProcess>();
let guarding = false;

/** The leader of a group (started with `detached`), ended when this process ends, however soon that is. */
export function track(child: ChildProcess): void {
  // One that could not be started never ends.
  if (child.pid === undefined) return;
  // A second SIGTERM ends a sidecar at once; what it started must not outlive it.
  if (!guarding) process.on('exit', endAll);
  guarding = true;
  running.add(child);
  child.once('exit', () => running.delete(child));
}

function endAll(): void {
  for (const child of running) signalGroup(child, 'SIGKILL');
}

/** SIGTERM, some time, SIGKILL, for the leader and all it left in its group. @param grace milliseconds in between */
export async function endGroup(child: ChildProcess | undefined, grace = defaultGrace): Promise<void> {
  if (child?.pid === undefined) return;
  signalGroup(child, 'SIGTERM');
  if (child.exitCode === null && child.signalCode === null) {
    const over = new AbortController();
    await Promise.race([once(child, 'exit'), pause(grace, over.signal)]);
    over.abort();
  }
  // The leader may have gone and left children behind.
  signalGroup(child, 'SIGKILL');
}

/** A group that is gone is left alone. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // EPERM: macOS says so of a group of zombies.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/**
 * How many dead processes hang on this one that it did not start: orphans of the programs it ran, which a process 1
 * inherits. Node.js waits only for what it spawned, so they stay until the container ends.
 */
export function zombies(): number {
  const own = new Set([...running].map(({ pid }) => pid));
  const dead = readdirSync('/proc').filter((name) => {
    const [, pid, state, parent] = /^(\d+) \(.*\) (\S) (\d+) /s.exec(statOf(name)) ?? [];
    return state === 'Z' && Number(parent) === process.pid && !own.has(Number(pid));
  });
  return dead.length;
}

function statOf(name: string): string {
  if (!/^\d+$/.test(name)) return '';
  try {
    return readFileSync(`/proc/${name}/stat`, 'latin1');
  } catch {
    // It has ended since it was listed.
    return '';
  }
}
