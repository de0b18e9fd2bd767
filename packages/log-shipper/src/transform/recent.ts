// A map that remembers what was used last and forgets the rest, so that no input makes it grow.

export class Recent<V> {
  readonly #entries = new Map<string, V>();
  readonly #limit: number;
  readonly #forgotten: (value: V) => void;

  constructor(limit: number, forgotten: (value: V) => void = () => undefined) {
    this.#limit = limit;
    this.#forgotten = forgotten;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.#forgetFirst();
  }

  /** Forgets those at the front for as long as `isOver` says so. */
  forget(isOver: (value: V) => boolean): void {
    for (const value of this.#entries.values()) {
      if (!isOver(value)) return;
      this.#forgetFirst();
    }
  }

  #forgetFirst(): void {
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key);
      this.#forgotten(value);
      return;
    }
  }
}
