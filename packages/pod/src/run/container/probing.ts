// The probes of one life of a container, with their delays, periods and thresholds.

import { wait } from '@outrigger/core';
import type { Probe } from '../../manifest/containers.ts';

/** One attempt: why it failed, or undefined. */
export type Attempt = (probe: Probe) => Promise<string | undefined>;

// Kubernetes counts in whole seconds. Until something is up we ask more often, so that a Pod of many containers does
// not wait a second for each; only the attempts that the period grants count as failures.
const eagerMilliseconds = { request: 50, command: 500 };

type Watch = { readonly attempt: Attempt; readonly signal: AbortSignal };

/** Resolves with undefined once the probe has succeeded, or with the reason when the threshold of failures is reached. */
export async function untilStarted(probe: Probe, { attempt, signal }: Watch): Promise<string | undefined> {
  const { failureThreshold = 3, initialDelaySeconds = 0 } = probe;
  await wait(initialDelaySeconds * 1000, signal);
  let failures = 0;
  for (let due = performance.now(); ; ) {
    const reason = await attempt(probe);
    signal.throwIfAborted();
    if (reason === undefined) return undefined;
    const now = performance.now();
    if (now >= due) {
      due = Math.max(due, now - periodOf(probe)) + periodOf(probe);
      if (++failures >= failureThreshold) return reason;
    }
    await wait(Math.max(1, Math.min(eagerness(probe), due - performance.now())), signal);
  }
}

/** Resolves with the reason when the threshold of failures in a row is reached. */
export async function untilUnhealthy(probe: Probe, { attempt, signal }: Watch): Promise<string> {
  const { failureThreshold = 3, initialDelaySeconds = 0 } = probe;
  await wait(initialDelaySeconds * 1000, signal);
  for (let failures = 0; ; ) {
    const reason = await attempt(probe);
    signal.throwIfAborted();
    failures = reason === undefined ? 0 : failures + 1;
    if (reason !== undefined && failures >= failureThreshold) return reason;
    await wait(periodOf(probe), signal);
  }
}

type Readiness = Watch & { change(ready: boolean, reason?: string): void };

/** Says each time readiness changes, until the signal aborts. */
export async function watchReadiness(probe: Probe, { attempt, signal, change }: Readiness): Promise<void> {
  const { failureThreshold = 3, successThreshold = 1, initialDelaySeconds = 0 } = probe;
  await wait(initialDelaySeconds * 1000, signal);
  let ready = false;
  let everReady = false;
  let inRow = 0;
  for (;;) {
    const reason = await attempt(probe);
    signal.throwIfAborted();
    const agrees = (reason === undefined) === ready;
    inRow = agrees ? 0 : inRow + 1;
    if (!agrees && inRow >= (ready ? failureThreshold : successThreshold)) {
      ready = !ready;
      everReady ||= ready;
      inRow = 0;
      change(ready, reason);
    }
    const eager = !everReady && successThreshold === 1;
    await wait(eager ? Math.min(eagerness(probe), periodOf(probe)) : periodOf(probe), signal);
  }
}

const periodOf = ({ periodSeconds = 10 }: Probe) => Math.max(1, periodSeconds) * 1000;
const eagerness = ({ exec }: Probe) => (exec ? eagerMilliseconds.command : eagerMilliseconds.request);
