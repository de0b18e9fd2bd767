// How long an application keeps an idle connection, learned from what it says and does: a request sent into a connection that
// is just being closed is lost, and not every request may be sent twice.

// What it says is when it closes, and a request takes its time to get there.
const margin = 1_000;
// Longer is of no use: whoever asks so seldom pays a connect.
const longest = 60_000;
// What it did once it may do a little earlier the next time.
const shareOfSeen = 0.7;
// It is restarted, or ends all connections, without meaning anything by it: a single end is no rule.
const enough = 2;
// From nothing nothing would grow again.
const least = 10;
// Connections that end together have one cause, and are one end.
const together = 100;

export class KeepAlive {
  readonly #clock: () => number;
  #told: number | undefined;
  #shortest = Number.POSITIVE_INFINITY;
  #ends = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;
  /** When the shortest was last thought to be longer, or shorter. */
  #changed = Number.NEGATIVE_INFINITY;

  /** @param clock in milliseconds, monotonic */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Milliseconds that it promises. */
  told(milliseconds: number): void {
    this.#told = milliseconds;
  }

  /** It ended a connection that had been idle for so long. */
  sawEnd(milliseconds: number): void {
    const now = this.#clock();
    if (now - this.#lastEnd >= together) this.#ends++;
    this.#lastEnd = this.#changed = now;
    this.#shortest = Math.max(least, Math.min(this.#shortest, milliseconds));
  }

  /**
   * It ended a connection that a request had taken so long ago, after having been idle for so long. Where that was no time,
   * or the end came late, the request was the reason: it crashed, or answers so many on each connection.
   */
  sawRace(idle: number, waited: number): void {
    if (idle >= together && waited < together) this.sawEnd(idle);
  }

  /** Nothing happened until we ended it ourselves: what was seen may have been chance, so a little more is dared. */
  survived(): void {
    // Once in such a time: a hundred connections that are given up together have seen no more than one.
    const now = this.#clock();
    if (now - this.#changed < this.#shortest) return;
    this.#changed = now;
    this.#shortest *= 1.1;
  }

  /** @param assumed while nothing is known. */
  limit(assumed: number): number {
    const promised =
      this.#told === undefined ? assumed : Math.min(longest, Math.max(this.#told - margin, this.#told / 2));
    return this.#ends < enough ? promised : Math.min(promised, this.#shortest * shareOfSeen);
  }
}
