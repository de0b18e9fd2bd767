// A batch that is never acknowledged: is the receiver out of order, or does it refuse this batch without a word, as Fluentd
// does with a chunk above its limit? Only others that it acknowledges meanwhile can tell.

/** How many time-outs of the same batch in a row. */
const patience = 3;

export class Suspicion {
  /** The batch whose time-outs are being counted, which may be a part of the one that began it. */
  #id = '';
  #timeouts = 0;
  /** How many records of the batch that began it have not been settled. */
  #records = 0;
  #proved = false;

  /** Others have been acknowledged since the first time-out: the receiver works. */
  get proved(): boolean {
    return this.#proved;
  }

  /** A time-out. Returns whether the receiver has had its chances with this batch. */
  timedOut({ id, records }: { readonly id: string; readonly records: number }): boolean {
    if (this.#records === 0) this.#records = records;
    if (this.#id !== id) this.#timeouts = 0;
    this.#id = id;
    this.#timeouts++;
    // Parts of a batch that is known to be refused need no proof of their own; a record that is given up does.
    return this.#timeouts >= (this.#proved && records > 1 ? 1 : patience);
  }

  acknowledged(records: number): void {
    if (this.#records > 0) this.#proved = true;
    this.#settle(records);
  }

  /** A record is given up. */
  givenUp(): void {
    this.#settle(1);
  }

  #settle(records: number): void {
    this.#records = Math.max(0, this.#records - records);
    if (this.#records > 0) return;
    this.#proved = false;
    this.#timeouts = 0;
    this.#id = '';
  }
}
