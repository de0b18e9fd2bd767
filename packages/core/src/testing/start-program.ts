// A program that may be signalled, as a real process with a name of its own.

import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type Peer, startPeer } from './start-peer.ts';

export type RunningProgram = Peer & {
  /** Lines it printed so far. */
  readonly lines: string[];
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
export async function startProgram(
  path: string,
  source: string,
  options: ProgramOptions = {},
): Promise<RunningProgram> {
  const { env, uid, ready = true, program = process.execPath } = options;
  await writeFile(path, source);
  const peer = await startPeer(program, [path], {
    env: { ...process.env, ...env },
    ...(uid !== undefined && { uid }),
    ...(ready && { ready: /^ready$/m }),
  });
  return Object.defineProperty(peer, 'lines', { get: () => peer.stdout.split('\n').slice(0, -1) }) as RunningProgram;
}

/** Tests of several packages run at a time: each looks for a name that nobody else has. */
export const uniqueName = () => `app-${randomUUID().slice(0, 8)}.cjs`;
