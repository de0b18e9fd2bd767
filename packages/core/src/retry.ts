// Tries again what failed: not in step with others, not sooner than the peer asked for, not when it makes no sense.

import { type Backoff, type BackoffOptions, backoff } from './backoff.ts';
import { wait } from './every.ts';
import { parseDuration } from './parameters/units.ts';

export type Retry = {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly error: unknown;
  /** Until the next one. */
  readonly milliseconds: number;
};

export type RetryOptions = {
  readonly backoff: BackoffOptions;
  /** Ends a wait at once, and no attempt starts after it. An attempt under way is the task's own to end. */
  readonly signal?: AbortSignal;
  /** How many in all, the first included; by default any number. */
  readonly attempts?: number;
  /** Milliseconds from now after which no attempt starts. */
  readonly deadline?: number;
  /** Shared by all who call the same peer. */
  readonly budget?: RetryBudget;
  /** Whether trying again cannot help. */
  readonly permanent?: (error: unknown) => boolean;
  /** How long the peer wants to be left alone, in milliseconds; never more than five minutes are heeded. */
  readonly retryAfter?: (error: unknown) => number | undefined;
  /** Told of each failure that is followed by another attempt. */
  readonly onRetry?: (retry: Retry) => void;
};

/** A peer whose clock or configuration is wrong must not put us off for days. */
const longestRetryAfter = parseDuration('5m');

/** Rejects with the last error, or with the signal's reason once that has aborted. */
export async function retry<T>(task: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, attempts = Number.POSITIVE_INFINITY, deadline = Number.POSITIVE_INFINITY, budget } = options;
  const end = performance.now() + deadline;
  // Made at the first failure: what succeeds at once pays nothing.
  let waits: Backoff | undefined;
  signal?.throwIfAborted();
  budget?.earn();
  for (let attempt = 1; ; attempt++) {
    const begun = performance.now();
    try {
      return await task(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts || options.permanent?.(error)) throw error;
      waits ??= backoff(options.backoff);
      // What ran this long before it failed is not what fails at once each time.
      if (performance.now() - begun > waits.longest) waits.reset();
      const milliseconds = heeding(waits.next(), options.retryAfter?.(error));
      if (performance.now() + milliseconds > end || budget?.spend() === false) throw error;
      options.onRetry?.({ attempt, error, milliseconds });
      await wait(milliseconds, signal);
    }
  }
}

/**
 * Milliseconds to wait: no sooner than asked for, up to five minutes, and a little later at random, since the peer has
 * asked all its clients for the same.
 */
export function heeding(own: number, asked = 0): number {
  const heeded = Math.min(asked, longestRetryAfter);
  return Math.max(own, heeded * (1 + Math.random() / 10));
}

const httpDate = /^[A-Z][a-z]{2,8},? [\w -]+ \d\d:\d\d:\d\d( GMT| \d{4})$/;

/**
 * Milliseconds that a Retry-After header asks for, from now: seconds or a date (RFC 9110, 10.2.3). Undefined when it is
 * absent or says nothing that can be understood.
 */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  const written = header?.trim() ?? '';
  if (/^\d+$/.test(written)) return Number(written) * 1000;
  if (!httpDate.test(written)) return undefined;
  const time = Date.parse(written.endsWith('GMT') ? written : `${written} GMT`);
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}

export type RetryBudgetOptions = {
  /** Retries that each request earns. */
  readonly ratio?: number;
  /** Retries that time earns, so that a peer that is rarely asked is tried again, too. */
  readonly perSecond?: number;
  /** How many may be saved up. */
  readonly most?: number;
};

/**
 * Keeps retries from being most of the load on a peer that is down. A token bucket, as in Finagle: over any time at most
 * `ratio` of the requests plus `perSecond`, once `most` is spent.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #perMillisecond: number;
  readonly #most: number;
  #tokens: number;
  #at = performance.now();

  constructor({ ratio = 0.2, perSecond = 1, most = 10 }: RetryBudgetOptions = {}) {
    this.#ratio = ratio;
    this.#perMillisecond = perSecond / 1000;
    this.#most = most;
    this.#tokens = most;
  }

  /** A request is made for the first time. */
  earn(): void {
    this.#tokens = Math.min(this.#most, this.#tokens + this.#ratio);
  }

  /** Whether one retry is allowed; it is then spent. */
  spend(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#at) * this.#perMillisecond);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
