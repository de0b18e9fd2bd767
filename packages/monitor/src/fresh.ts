// One look serves everybody who asks within a period, and two never run at once.

import { wait } from '@outrigger/core';

export class Fresh<T extends { readonly at: number; readonly interval: number }> {
  readonly #look: () => Promise<T>;
  #last: T | undefined;
  #looking: Promise<T> | undefined;

  constructor(look: () => Promise<T>) {
    this.#look = look;
  }

  /** The last look, which may be old; undefined before the first. */
  get last(): T | undefined {
    return this.#last;
  }

  /** A look that is at most so many milliseconds old and, unlike the very first, knows what has changed since another. */
  async current(age: number): Promise<T> {
    const last = this.#last ?? (await this.now());
    const old = performance.now() - last.at;
    if (last.interval > 0) return old < age ? last : this.now();
    await wait(Math.max(0, shortest - old));
    return this.#last === last ? this.now() : this.current(age);
  }

  now(): Promise<T> {
    this.#looking ??= this.#look()
      .then((seen) => {
        this.#last = seen;
        return seen;
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }
}

// The kernel counts CPU time in steps of 10 ms: shares over less than this would be guesses.
const shortest = 250;
