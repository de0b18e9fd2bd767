// Leaves alone what has failed several times in a row, and lets one call at a time find out whether it works again.

import { type Backoff, backoff } from '@outrigger/core';

/** closed: calls are made. open: none is. half-open: one is under way, on which everything depends. */
export const breakerStates = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof breakerStates)[number];

export type BreakerOptions = {
  /** Failures in a row that open it, 0 for never. Read at each failure. */
  readonly failures: () => number;
  /** How long it stays open at first, in milliseconds; after each failed trial longer, up to six times that. */
  readonly openTime: () => number;
};

export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #since = new Date();
  #failures = 0;
  #waits: Backoff | undefined;
  #until = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** When it left the state in which calls are made as usual, or came back to it. */
  get since(): Date {
    return this.#since;
  }

  /** Milliseconds until a call is let through, 0 when one is now. */
  get left(): number {
    return this.#state === 'open' ? Math.max(0, this.#until - performance.now()) : 0;
  }

  /** Whether a call may be made now; whoever makes it tells how it ended. */
  admit(): boolean {
    if (this.#state === 'open' && this.left === 0) {
      this.#state = 'half-open';
      return true;
    }
    return this.#state === 'closed';
  }

  succeeded(): void {
    if (this.#state !== 'closed') this.#since = new Date();
    this.#state = 'closed';
    this.#failures = 0;
    this.#waits = undefined;
  }

  failed(): void {
    // A call from before it opened.
    if (this.#state === 'open') return;
    const { failures, openTime } = this.#options;
    const enough = failures();
    if (this.#state === 'closed' && (enough === 0 || ++this.#failures < enough)) return;
    if (this.#state === 'closed') this.#since = new Date();
    this.#waits ??= backoff({ min: openTime(), max: 6 * openTime() });
    this.#until = performance.now() + this.#waits.next();
    this.#state = 'open';
  }
}
