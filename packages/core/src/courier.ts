// Brings the newest of something to one receiver until it worked. Written once around every notifier: time-out, retry,
// coalescing.

import type { BackoffOptions } from './backoff.ts';
import { Fault, type Fields } from './errors.ts';
import { errors } from './notifier/errors.ts';
import { retry } from './retry.ts';

export type Attempt<T> = {
  readonly value: T;
  readonly seconds: number;
  /** What the receiver says about a success. */
  readonly details?: Fields;
  readonly fault?: Fault;
};

export type CourierOptions<T> = {
  /** The receiver, for messages. */
  readonly target: string;
  /** Rejects when it did not work. Is given a signal for the time-out and for the end of this courier. */
  readonly deliver: (value: T, signal: AbortSignal) => Promise<Fields>;
  /** Of one attempt, in milliseconds; read at each. */
  readonly timeout: () => number;
  readonly backoff?: BackoffOptions;
  /** Told of each attempt when it has ended. */
  readonly ended: (attempt: Attempt<T>) => void;
};

// What is told to end may need a moment for that (a program its grace, and then some), but is not waited for longer.
const patience = 3_000;

/**
 * One attempt at a time, and no queue: something newer takes the place of what waits, so that any number of changes during
 * a hanging or failing attempt ends in one delivery of the last of them.
 */
export class Courier<T extends object> implements AsyncDisposable {
  readonly #options: CourierOptions<T>;
  readonly #closing = new AbortController();
  #wanted: T | undefined;
  #newer = new AbortController();
  #busy = false;
  #working: Promise<void> | undefined;

  constructor(options: CourierOptions<T>) {
    this.#options = options;
  }

  /** What is still to be delivered. */
  get pending(): T | undefined {
    return this.#wanted;
  }

  bring(value: T): void {
    if (this.#closing.signal.aborted) return;
    this.#wanted = value;
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
      if ((await this.#persist(next)) && this.#wanted === next) this.#wanted = undefined;
    }
    this.#busy = false;
  }

  /** Until it worked, or there is something newer to bring: then this returns false. */
  async #persist(value: T): Promise<boolean> {
    const { backoff = { min: '100ms', max: '30s' } } = this.#options;
    const signal = AbortSignal.any([this.#newer.signal, this.#closing.signal]);
    const retryAfter = (error: unknown) => (error as Fault).fields.retryAfter as number | undefined;
    const permanent = (error: unknown) => !(error instanceof Fault);
    try {
      await retry(() => this.#attempt(value), { backoff, signal, retryAfter, permanent });
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
  }

  async #attempt(value: T): Promise<void> {
    const started = performance.now();
    const end = (outcome: Pick<Attempt<T>, 'details' | 'fault'>) =>
      this.#options.ended({ value, seconds: (performance.now() - started) / 1000, ...outcome });
    let details: Fields;
    try {
      details = await this.#deliver(value);
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      const { target } = this.#options;
      const fault = error instanceof Fault ? error : errors.NOTIFY_FAILED({ target }, error);
      end({ fault });
      throw fault;
    }
    end({ details });
  }

  async #deliver(value: T): Promise<Fields> {
    const { target, deliver, timeout } = this.#options;
    const limit = timeout();
    const late = new AbortController();
    const timers = [setTimeout(() => late.abort(errors.NOTIFY_TIMEOUT({ target, timeout: limit })), limit)];
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    const { promise: given, reject } = Promise.withResolvers<never>();
    const giveUp = () => timers.push(setTimeout(() => reject(signal.reason), patience));
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([deliver(value, signal), given]);
    } catch (error) {
      // How it ends when it is told to says nothing.
      throw signal.aborted ? signal.reason : error;
    } finally {
      // A signal that is listened to is kept for as long as the one it is made of.
      signal.removeEventListener('abort', giveUp);
      for (const timer of timers) clearTimeout(timer);
    }
  }
}
