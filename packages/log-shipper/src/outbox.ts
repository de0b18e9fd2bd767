// Between what is read and what is sent: batches that wait for a sink. While one is under way the next grows up to its
// limit, so that a slow receiver gets few large ones and a quick one need not wait.

import type { Batch } from './batch.ts';
import type { Encoder } from './encode.ts';
import type { Records } from './records.ts';

/** How many full batches wait beside the one under way and the one that grows. */
const most = 1;

export class Outbox {
  readonly #encoder: Encoder;
  /** Milliseconds that a batch may wait for more records. */
  readonly #linger: number;
  readonly #full: Batch[] = [];
  #begun = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(encoder: Encoder, linger: number) {
    this.#encoder = encoder;
    this.#linger = linger;
  }

  /** Resolves when there is room for more. */
  async add(records: Records): Promise<void> {
    if (!this.#encoder.pending) this.#begun = performance.now();
    for (const batch of this.#encoder.encode(records)) {
      this.#full.push(batch);
      this.#begun = performance.now();
      this.#announce();
      while (this.#full.length > most) await this.#changed.promise;
    }
    this.#announce();
  }

  /** Nothing more is coming. */
  end(): void {
    this.#ended = true;
    this.#announce();
  }

  /** The next batch; undefined when there will be none. Waits for one. */
  async next(): Promise<Batch | undefined> {
    for (;;) {
      const batch = this.ready();
      if (batch) return batch;
      if (this.#ended) return undefined;
      const { promise } = this.#changed;
      const left = Math.max(0, this.#begun + this.#linger - performance.now());
      if (!this.#encoder.pending) await promise;
      else await sooner(promise, left);
    }
  }

  /** The next batch, if it could go at once. */
  ready(): Batch | undefined {
    const batch = this.#full.shift() ?? this.#ripe();
    this.#announce();
    return batch;
  }

  #ripe(): Batch | undefined {
    const ripe = this.#ended || performance.now() - this.#begun >= this.#linger;
    return ripe ? this.#encoder.flush() : undefined;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Resolves with the promise, or after a time; leaves no timer behind. Without an AbortController, which costs more than the rest. */
const sooner = (promise: Promise<void>, milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
