// A batch that is never acknowledged: is the receiver out of order, or does it refuse this batch without a word, as Fluentd
// does with a chunk above its limit? Only others that it acknowledges meanwhile can tell. An empty packet cannot: a Fluentd
// whose buffer is full may well acknowledge that one.

/** How many time-outs of the same batch in a row. */
const patience = 3;

type Piece = { readonly id: string; readonly records: number };

export class Suspicion {
  /** What all the pieces come from that are looked at now. */
  #origin = '';
  #silences = 0;
  #proved = false;
  /** The piece whose time-outs are being counted. */
  #id = '';
  #timeouts = 0;

  /** Others have been acknowledged since the first time-out: the receiver works. */
  get proved(): boolean {
    return this.#proved;
  }

  /** How many time-outs there were with this origin. */
  silences({ id }: Piece): number {
    return originOf(id) === this.#origin ? this.#silences : 0;
  }

  /** A time-out. Returns whether the receiver has had its chances with this piece. */
  timedOut({ id, records }: Piece): boolean {
    this.#look(id);
    if (this.#id !== id) this.#timeouts = 0;
    this.#id = id;
    this.#timeouts++;
    this.#silences++;
    // Parts of a batch that is known to be refused need no proof of their own; a record that is given up does.
    return this.#timeouts >= (this.#proved && records > 1 ? 1 : patience);
  }

  /** Of any origin: a batch that follows the doubtful one shows as well that the receiver works. */
  acknowledged(): void {
    this.#proved = this.#silences > 0;
  }

  #look(id: string): void {
    const origin = originOf(id);
    if (origin === this.#origin) return;
    this.#origin = origin;
    this.#silences = 0;
    this.#proved = false;
  }
}

const originOf = (id: string): string => id.split('/')[0]!;
