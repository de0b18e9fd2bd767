// The other side of a test as a real process: nginx, git, a script. It is gone when the test is.

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { until } from './until.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Peer = AsyncDisposable & {
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** When it has ended and all that it printed has been read. */
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
};

export type PeerOptions = Pick<SpawnOptions, 'argv0' | 'cwd' | 'detached' | 'env' | 'uid' | 'gid'> & {
  /** What it does once it can be used: listens on a port of 127.0.0.1, prints what matches, or whatever the function says. */
  readonly ready?: number | RegExp | ((peer: Peer) => boolean | Promise<boolean>);
  /** Milliseconds to become ready. */
  readonly deadline?: number;
  /** Its input is open and `process.stdin` writes to it. */
  readonly input?: boolean;
};

/** Starts a program and waits until it is ready. Rejects with all that it said when it ends before, or takes too long. */
export async function startPeer(
  program: string,
  args: readonly string[],
  { ready, deadline = 15_000, input = false, ...options }: PeerOptions = {},
): Promise<Peer> {
  const peer = peerOf(spawn(program, args, { ...options, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] }));
  if (ready === undefined) return peer;
  const says = () => `${[program, ...args].join(' ')}\n${peer.stdout}${peer.stderr}`;
  const { process } = peer;
  try {
    await until(
      () => {
        if (process.exitCode !== null || process.signalCode !== null) throw new Error(`It has ended: ${says()}`);
        return isReady(peer, ready);
      },
      { deadline, what: () => `the start of ${says()}` },
    );
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
  return peer;
}

function isReady(peer: Peer, ready: NonNullable<PeerOptions['ready']>): boolean | Promise<boolean> {
  if (typeof ready === 'number') return listens(ready);
  return ready instanceof RegExp ? ready.test(peer.stdout) || ready.test(peer.stderr) : ready(peer);
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

function peerOf(child: ChildProcess): Peer {
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]!.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // After 'close' everything it said has been read.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  // A program that cannot be started is met by whoever waits for it.
  exited.catch(() => undefined);
  return {
    pid: child.pid!,
    process: child,
    exited,
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    kill: (signal) => {
      child.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Which of the programs this machine does not have, for the message of a test that is skipped; '' when it has all. */
export const missingPrograms = (...programs: string[]): string =>
  programs.filter((program) => !isInstalled(program)).join(', ');

const isInstalled = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why a program does not do here what its arguments say, for the message of a test that is skipped; '' when it does. */
export function cannotRun(program: string, ...args: string[]): string {
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${program} fails: ${error?.message ?? stderr.trim()}`;
}
