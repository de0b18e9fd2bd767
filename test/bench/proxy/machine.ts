// The machine that all subjects share: which core is whose, processes that end with this one, and what they used.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { endGroup, ticksPerSecond, track } from '@outrigger/core';
import { type Peer, startPeer, until } from '@outrigger/core/testing';
import { cpuMilliseconds, settledMemory } from '../measure.ts';
import { ready } from './load/load.ts';

/** The last core is for the proxy under test alone, all others for the application and the load. */
export const cores = shareCores();

export type Place = keyof typeof cores;

/** A program and all that it starts, on its cores, as a group of its own: it is gone when this process is. */
export async function launch(place: Place, [program, ...args]: Command, env?: Environment): Promise<Peer> {
  const peer = await startPeer('taskset', ['--cpu-list', cores[place], program, ...args], {
    detached: true,
    ...(env && { env: { ...process.env, ...env } }),
  });
  track(peer.process);
  return peer;
}

export type Command = readonly [string, ...string[]];
export type Environment = Readonly<Record<string, string>>;

export type Server = AsyncDisposable & { readonly port: number; readonly tree: Tree };

/** Starts what listens on a port of 127.0.0.1. */
export async function serve(place: Place, command: Command, port: number, env?: Environment): Promise<Server> {
  const peer = await launch(place, command, env);
  const said = () => `${command.join(' ')}\n${peer.stdout}${peer.stderr}`;
  const dispose = () => endGroup(peer.process);
  try {
    await until(
      () => {
        if (peer.process.exitCode !== null) throw new Error(`It has ended: ${said()}`);
        return listens(port);
      },
      { deadline: 15_000, what: () => `the start of ${said()}` },
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { port, tree: new Tree(peer.pid), [Symbol.asyncDispose]: dispose };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Runs a generator of load to its end and returns what it printed. Rejects with that unless it ends well. */
export async function generate(command: Command): Promise<string> {
  return outputOf(await launch('load', command), command);
}

export async function outputOf(peer: Peer, command: Command): Promise<string> {
  const { code, signal } = await peer.exited;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${signal ?? code}:\n${peer.stdout}${peer.stderr}`);
  return peer.stdout + peer.stderr;
}

/** Resolves when a program has printed that it is ready; rejects with what it said when it ends before. */
export async function untilReady(peer: Peer, command: Command): Promise<void> {
  const isReady = () => {
    if (peer.process.exitCode !== null)
      throw new Error(`${command.join(' ')} has ended:\n${peer.stdout}${peer.stderr}`);
    return peer.stdout.startsWith(ready);
  };
  await until(isReady, { deadline: 120_000, what: () => `${command.join(' ')}:\n${peer.stdout}${peer.stderr}` });
}

/** A process and those that it has started: a master and its workers. */
export class Tree {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Milliseconds so far. */
  get cpu(): number {
    return withChildren(this.#pid).reduce((total, pid) => total + cpuOf(pid), 0);
  }

  /** MiB that no other process shares. */
  async memory(): Promise<number> {
    const each = await Promise.all(withChildren(this.#pid).map((pid) => settledMemory(pid, 0)));
    return each.reduce((total, memory) => total + memory, 0);
  }
}

/**
 * Exact are the threads that there are; the sum of the process is cut to hundredths of a second but knows threads that
 * have ended. Neither is ever too much.
 */
const cpuOf = (pid: number): number => Math.max(cpuMilliseconds(pid), ticksOf(pid) * (1000 / ticksPerSecond));

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Only its first thread starts others. */
function withChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => withChildren(Number(child)))];
}

function shareCores(): { readonly proxy: string; readonly load: string } {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const all = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index);
  });
  const [proxy, ...load] = all.toReversed();
  if (load.length === 0) throw new Error('At least two cores are needed: one for the proxy, one for the rest');
  return { proxy: String(proxy), load: load.reverse().join(',') };
}
