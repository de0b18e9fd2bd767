// Which lineages may have something for a sink, in the order of their turns: finding the next one must not cost a look at
// all files.

import type { Lineage } from './followed-files.ts';

export class Ready implements Disposable {
  readonly #turns: Set<Lineage>;
  readonly #end: (ready: Ready) => void;
  #bell = Promise.withResolvers<void>();

  /** @param end called when nobody reads any more. */
  constructor(lineages: Iterable<Lineage>, end: (ready: Ready) => void) {
    this.#turns = new Set(lineages);
    this.#end = end;
  }

  add(lineage: Lineage): void {
    this.#turns.add(lineage);
    this.ring();
  }

  /** The one whose turn it is; it has another one only when it is added again. */
  take(): Lineage | undefined {
    const { value } = this.#turns.values().next();
    if (value) this.#turns.delete(value);
    return value;
  }

  /** Whoever waits looks again. */
  ring(): void {
    this.#bell.resolve();
  }

  /** Resolves when there may be something new since the call. */
  wait(): Promise<void> {
    this.#bell = Promise.withResolvers();
    if (this.#turns.size > 0) this.ring();
    return this.#bell.promise;
  }

  [Symbol.dispose](): void {
    this.#end(this);
  }
}
