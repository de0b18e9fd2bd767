// Warnings of what clients or an application can bring about as often as they like: each kind at most once in ten seconds,
// with how many were left out.

import type { Fault, Fields, Log } from '@outrigger/core';

/** Milliseconds between two of a kind. */
const quiet = 10_000;

type Said = { readonly at: number; leftOut: number };

export class Seldom {
  readonly #log: Pick<Log, 'warn'>;
  readonly #clock: () => number;
  readonly #said = new Map<string, Said>();

  /** @param clock in milliseconds, monotonic */
  constructor(log: Pick<Log, 'warn'>, clock: () => number = () => performance.now()) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param kind one of few: each is remembered */
  warn(kind: string, what: string | Fault, fields: Fields = {}): void {
    const at = this.#clock();
    const last = this.#said.get(kind);
    if (last && at - last.at < quiet) {
      last.leftOut++;
      return;
    }
    this.#said.set(kind, { at, leftOut: 0 });
    this.#log.warn(what, last?.leftOut ? { ...fields, leftOut: last.leftOut } : fields);
  }
}
