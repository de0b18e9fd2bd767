// What became of each round: for readiness, metrics, log and API.

import { type Instruments, type Latch, type Log, reasonOf } from '@outrigger/core';
import { errors } from './errors.ts';
import type { metrics } from './metrics.ts';

export type Tally = {
  readonly succeeded: number;
  readonly failed: number;
  readonly lastSuccess?: string;
  readonly lastFailure?: string;
  /** Why the last round failed; absent when it did not. */
  readonly reason?: string;
};

type Options = {
  readonly metrics: Instruments<typeof metrics>;
  readonly log: Log;
  /** Held until the first success: nothing is there for the application before. */
  readonly worked: Latch;
};

export class Rounds {
  readonly #options: Options;
  #now: Tally = { succeeded: 0, failed: 0 };

  constructor(options: Options) {
    this.#options = options;
    for (const outcome of ['succeeded', 'failed'] as const) options.metrics.rounds.inc({ outcome }, 0);
  }

  get now(): Tally {
    return this.#now;
  }

  /** Does a round and notes how it ended. Never rejects. */
  async of(round: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await round();
      this.#succeeded();
    } catch (error) {
      // What breaks off because the sidecar stops says nothing about the work.
      if (!signal.aborted) this.#failed(error);
    }
  }

  #succeeded(): void {
    const { metrics, worked } = this.#options;
    const { reason: _, ...before } = this.#now;
    this.#now = { ...before, succeeded: before.succeeded + 1, lastSuccess: new Date().toISOString() };
    metrics.rounds.inc({ outcome: 'succeeded' });
    metrics.lastSuccess.setToCurrentTime();
    worked.release();
  }

  #failed(error: unknown): void {
    const { metrics, log, worked } = this.#options;
    const reason = reasonOf(error);
    this.#now = { ...this.#now, failed: this.#now.failed + 1, lastFailure: new Date().toISOString(), reason };
    metrics.rounds.inc({ outcome: 'failed' });
    log.error(errors.NEW_SIDECAR_ROUND_FAILED({ reason }, error));
    // What the application has already stays good enough for it to serve.
    if (this.#now.succeeded === 0) worked.hold(reason);
  }
}
