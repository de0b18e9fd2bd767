// A check that takes time, run in the background again and again. It never holds up who wants to know what it found.

import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from './errors.ts';
import { formatDuration } from './parameters/units.ts';

/** The reason why it fails, or undefined. The signal aborts when its time is over, and when the sidecar stops. */
export type PeriodicCheck = (signal: AbortSignal) => Promise<string | undefined>;

export type Repetition = {
  /** Milliseconds from the end of one run to the beginning of the next, give or take a tenth. */
  readonly period: number;
  /** Milliseconds that a run may take; a longer one is a failure. */
  readonly timeout: number;
  /** Ends it. */
  readonly signal: AbortSignal | undefined;
};

/** Runs at once and then for ever. A run that does not heed its signal is waited for before the next begins. */
export async function repeatCheck(
  check: PeriodicCheck,
  { period, timeout, signal }: Repetition,
  found: (reason: string | undefined) => void,
): Promise<void> {
  while (!signal?.aborted) {
    const over = new AbortController();
    const stop = () => over.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const ended = run(check, over.signal);
    const late = sleep(timeout, over.signal).then((passed) => {
      if (!passed) return ended;
      over.abort(new Error('the time for this check is over'));
      return `no answer within ${formatDuration(timeout)}`;
    });
    const reason = await Promise.race([ended, late]);
    if (!signal?.aborted) found(reason);
    await ended;
    signal?.removeEventListener('abort', stop);
    // Clears the timer of the time-out.
    over.abort();
    // Jittered, so that the checks of many sidecars on a node do not run in step.
    await sleep(period * (0.9 + Math.random() / 5), signal);
  }
}

async function run(check: PeriodicCheck, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await check(signal);
  } catch (error) {
    return `the check itself failed: ${reasonOf(error)}`;
  }
}

/** Resolves with true after the time, with false as soon as the signal aborts. Keeps no process alive. */
const sleep = (milliseconds: number, signal: AbortSignal | undefined): Promise<boolean> =>
  // It rejects for nothing else.
  delay(milliseconds, true, { signal, ref: false }).catch(() => false);
