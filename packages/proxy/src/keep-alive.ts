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

export class KeepAlive {
  #told: number | undefined;
  #shortest = Number.POSITIVE_INFINITY;
  #ends = 0;

  /** Milliseconds that it promises. */
  told(milliseconds: number): void {
    this.#told = milliseconds;
  }

  /** It ended a connection that had been idle for so long. */
  sawEnd(milliseconds: number): void {
    this.#ends++;
    this.#shortest = Math.max(least, Math.min(this.#shortest, milliseconds));
  }

  /** Nothing happened until we ended it ourselves: what was seen may have been chance, so a little more is dared. */
  survived(): void {
    this.#shortest *= 1.1;
  }

  /** @param assumed while nothing is known. */
  limit(assumed: number): number {
    const promised =
      this.#told === undefined ? assumed : Math.min(longest, Math.max(this.#told - margin, this.#told / 2));
    return this.#ends < enough ? promised : Math.min(promised, this.#shortest * shareOfSeen);
  }
}
