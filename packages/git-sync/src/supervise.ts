// Programs in process groups of their own. git leaves the transfer to children (git-remote-https, index-pack), which
// would live on and hold its pipes; simple-git ends the one process it started, with SIGINT.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { endGroup, signalGroup, track } from '@outrigger/core';

type Launch = { child?: ChildProcess; closed?: boolean };
const launches = new AsyncLocalStorage<Launch>();

/** Once, before simple-git starts anything. */
export function superviseSimpleGit(): void {
  // The documented place to see a process start: nothing else tells the pid, or takes options for it.
  subscribe('tracing:child_process.spawn:start', (message) => {
    const launch = launches.getStore();
    if (!launch) return;
    const { process: child, options } = message as { process: ChildProcess; options: { detached: boolean } };
    options.detached = true;
    launch.child = child;
    track(child);
    child.once('close', () => {
      launch.closed = true;
    });
  });
}

/** Runs what starts one program; when the signal aborts, ends the whole group and rejects with the signal's reason. */
export async function supervise<T>(start: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const launch: Launch = {};
  const aborted = Promise.withResolvers<never>();
  const abort = () => endGroup(launch.child).finally(() => aborted.reject(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const output = launches.run(launch, start);
    // A process that is told to end fails before its group is known to be gone.
    const settled = output.catch((error) => (signal.aborted ? aborted.promise : Promise.reject(error)));
    return await Promise.race([settled, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    // git is through, yet a child of it still holds its output: a transfer that nobody waits for any more.
    if (launch.child && !launch.closed) signalGroup(launch.child, 'SIGKILL');
  }
}
