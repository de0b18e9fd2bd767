// How a Pod ends, as Kubernetes ends one with native sidecars:
//
//   1. every preStop hook at once, and the grace period begins
//   2. SIGTERM to each application once its own hook is done
//   3. when the last application has ended: SIGTERM to the sidecars, last started first, one after the other
//   4. when the grace period is over: SIGTERM for who has not had one, and SIGKILL, two seconds after the SIGTERM at least

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
  const signalledAt = new Map<Supervisor, number>();
  // Once: a second SIGTERM would end a sidecar of ours at once, in the middle of its last chance.
  const signal = (each: Supervisor) => {
    if (signalledAt.has(each)) return;
    signalledAt.set(each, performance.now());
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
    for (const each of running) signal(each);
    await Promise.all(running.map((each) => lastChance(each, signalledAt.get(each)!)));
    hurry();
  }
  over.abort();
  await Promise.all(supervisors.map((each) => each.gone));
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

async function lastChance(each: Supervisor, signalledAt: number): Promise<void> {
  const over = new AbortController();
  const left = signalledAt + lastChanceMilliseconds - performance.now();
  if (left > 0) await Promise.race([each.gone, pause(left, over.signal)]);
  over.abort();
  each.kill();
}
