// Brings generations to one notifier until it worked. Written once around every notifier: time-out, retry, coalescing.

import { type Backoff, backoff, Fault, type Fields, wait } from '@outrigger/core';
import { errors } from './errors.ts';
import type { Generation } from './generations.ts';
import type { Notifier } from './notifier/notifier.ts';

export type Attempt = {
  readonly generation: Generation;
  readonly seconds: number;
  /** What the notifier says about a success. */
  readonly details?: Fields;
  readonly fault?: Fault;
};

export type CourierOptions = {
  readonly notifier: Notifier;
  /** In milliseconds; read at each attempt. */
  readonly timeout: () => number;
  /** Told of each attempt when it has ended. */
  readonly ended: (attempt: Attempt) => void;
};

/**
 * Brings generations to one notifier, one attempt at a time. There is no queue: a newer generation takes the place of the
 * one that waits, so that any number of changes during a hanging or failing notification ends in one notification of the
 * last of them.
 */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions;
  readonly #closing = new AbortController();
  readonly #backoff: Backoff = backoff({ min: '100ms', max: '30s' });
  #wanted: Generation | undefined;
  #newer = new AbortController();
  #busy = false;
  #working: Promise<void> | undefined;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** What is still to be delivered. */
  get pending(): Generation | undefined {
    return this.#wanted;
  }

  bring(generation: Generation): void {
    if (this.#closing.signal.aborted) return;
    this.#wanted = generation;
    // What failed for the one before may work for this one: it does not wait for the pause to end.
    this.#newer.abort();
    if (!this.#busy) this.#working = this.#work();
  }

  /** An attempt under way is given up: whoever stops this sidecar stops the application as well. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('stopping'));
    await this.#working;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#wanted && !this.#closing.signal.aborted) {
      const next = this.#wanted;
      this.#newer = new AbortController();
      const delivered = await this.#attempt(next);
      const superseded = this.#wanted !== next;
      if (delivered || superseded) this.#backoff.reset();
      if (delivered && !superseded) this.#wanted = undefined;
      if (!delivered && !superseded) await this.#pause();
    }
    this.#busy = false;
  }

  /** Ends early when there is something newer to bring. */
  async #pause(): Promise<void> {
    const signal = AbortSignal.any([this.#newer.signal, this.#closing.signal]);
    await wait(this.#backoff.next(), signal).catch(() => undefined);
  }

  async #attempt(generation: Generation): Promise<boolean> {
    const started = performance.now();
    const end = (outcome: Pick<Attempt, 'details' | 'fault'>) =>
      this.#options.ended({ generation, seconds: (performance.now() - started) / 1000, ...outcome });
    try {
      end({ details: await this.#notify(generation) });
      return true;
    } catch (error) {
      if (!this.#closing.signal.aborted) end({ fault: this.#faultOf(error) });
      return false;
    }
  }

  async #notify({ number, hash }: Generation): Promise<Fields> {
    const { notifier, timeout } = this.#options;
    const limit = timeout();
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(errors.RELOAD_TIMEOUT({ target: notifier.target, timeout: limit })),
      limit,
    );
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    // A notifier that does not heed the signal must not hold up the next generation either.
    const { promise: given, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    try {
      return await Promise.race([notifier.notify({ generation: number, hash }, signal), given]);
    } finally {
      clearTimeout(timer);
    }
  }

  #faultOf(error: unknown): Fault {
    return error instanceof Fault ? error : errors.RELOAD_FAILED({ target: this.#options.notifier.target }, error);
  }
}
