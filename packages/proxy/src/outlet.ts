// Where lines go whose reader may be slow or gone: neither may cost the proxy its memory or its life.

import type { Writable } from 'node:stream';

// Octets that wait for the reader.
const mostUnread = 1 << 20;
// What is written when the proxy ends has so long to be read, in milliseconds.
const patience = 1_000;

export type OutletOptions = {
  /** So many lines are lost. */
  readonly dropped: (lines: number) => void;
  /** Said when that begins. */
  readonly warn: (cause: string) => void;
};

export class Outlet {
  readonly #stream: Writable;
  readonly #options: OutletOptions;
  #gone = false;
  #dropping = false;

  constructor(stream: Writable, options: OutletOptions) {
    this.#stream = stream;
    this.#options = options;
    // Without a listener the process would end; with one it has a line to say.
    stream.on('error', ({ message }) => this.#lose(message));
  }

  #lose(cause: string): void {
    if (!this.#gone) this.#options.warn(cause);
    this.#gone = true;
  }

  /** @param count of lines */
  write(lines: string, count: number): void {
    if (this.#takes()) this.#stream.write(lines);
    else this.#options.dropped(count);
  }

  // Once it was too slow, it has to be through with all there is: else each line would be a new beginning.
  #takes(): boolean {
    if (this.#gone) return false;
    const { writableLength } = this.#stream;
    const slow = this.#dropping ? writableLength > 0 : writableLength > mostUnread;
    if (slow && !this.#dropping) this.#options.warn('it is not read fast enough');
    this.#dropping = slow;
    return !slow;
  }

  /** Resolves when all of it has left, or has had its time. */
  async end(): Promise<void> {
    if (this.#gone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    this.#stream.write('', () => resolve());
    await promise;
    clearTimeout(timer);
  }
}
