// How a Pod ends, as Kubernetes ends one with native sidecars:
//
//   1. every preStop hook at once, and the grace period begins
//   2. SIGTERM to each application once its own hook is done
//   3. when the last application has ended: SIGTERM to the sidecars, last started first, one after the other
//   4. when the grace period is over: SIGKILL; who has not had a SIGTERM by then gets one and two seconds

import { pause, wait } from '@outrigger/core';
import type { Supervisor } from './container/supervisor.ts';

const lastChanceMilliseconds = 2_000;

type Terms = {
  /** In milliseconds. */
  readonly grace: number;
  /** There is no time left: hooks that still run are given up. */
  readonly hurry: () => void;
  readonly say: (text: string) => void;
  /** Waited for before a container is told to end in its turn. */
  readonly aboutToSignal?: ((each: Supervisor) => Promise<void>) | undefined;
};

/** @param supervisors in the order they were started; nothing of them is started again. Resolves when all are gone. */
export async function terminate(
  supervisors: readonly Supervisor[],
  { grace, hurry, say, aboutToSignal }: Terms,
): Promise<void> {
  const gone = Promise.all(supervisors.map((each) => each.gone));
  const signalled = new Set<Supervisor>();
  // Once: a second SIGTERM would end a sidecar of ours at once, in the middle of its last chance.
  const signal = (each: Supervisor) => {
    if (signalled.has(each)) return;
    signalled.add(each);
    each.terminate();
  };
  const over = new AbortController();
  const late = wait(grace, over.signal).then(
    () => true,
    () => false,
  );
  const orderly = inOrder(supervisors, { signal, aboutToSignal }).then(() => false);
  if (await Promise.race([orderly, late])) {
    const running = supervisors.filter((each) => each.isRunning);
    say(`The grace period of ${grace / 1000} s is over; killing ${running.map(({ entry }) => entry.name).join(', ')}`);
    await lastChance(running, { signal, signalled, gone });
    hurry();
  }
  over.abort();
  await gone;
}

type Signal = { readonly signal: (each: Supervisor) => void };

async function inOrder(
  supervisors: readonly Supervisor[],
  { signal, aboutToSignal }: Signal & Pick<Terms, 'aboutToSignal'>,
): Promise<void> {
  const end = async (each: Supervisor) => {
    await each.preStop();
    await aboutToSignal?.(each);
    signal(each);
    await each.gone;
  };
  for (const each of supervisors) void each.preStop();
  await Promise.all(supervisors.filter(({ entry }) => entry.kind !== 'sidecar').map(end));
  for (const each of supervisors.filter(({ entry }) => entry.kind === 'sidecar').toReversed()) await end(each);
}

type Late = Signal & { readonly signalled: ReadonlySet<Supervisor>; readonly gone: Promise<unknown> };

async function lastChance(running: readonly Supervisor[], { signal, signalled, gone }: Late): Promise<void> {
  const warned = running.filter((each) => !signalled.has(each));
  for (const each of running) if (signalled.has(each)) each.kill();
  for (const each of warned) signal(each);
  const over = new AbortController();
  if (warned.length > 0) await Promise.race([gone, pause(lastChanceMilliseconds, over.signal)]);
  over.abort();
  for (const each of warned) each.kill();
}
