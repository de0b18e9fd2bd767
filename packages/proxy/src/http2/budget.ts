// What a client may do that costs us and brings it nothing: cancelled requests, PINGs, SETTINGS. Some of it is ordinary,
// a flood is not.

const burst = 1_000;
const perMillisecond = 0.1;

/** In points: 200 cancelled requests at once and 20 a second, or five times as many PINGs. */
export const costs = { cancelled: 5, settings: 10, ping: 1 } as const;

export class Budget {
  #points = burst;
  #at: number;

  /** @param now milliseconds on the monotonic clock, here and below. */
  constructor(now: number) {
    this.#at = now;
  }

  /** Returns false once it is used up. */
  spend(points: number, now: number): boolean {
    this.#points = Math.min(burst, this.#points + Math.max(0, now - this.#at) * perMillisecond) - points;
    this.#at = now;
    return this.#points >= 0;
  }

  /** Work that was asked for: gRPC's clients send a PING for about every message to measure the line. */
  earn(points: number): void {
    this.#points = Math.min(burst, this.#points + points);
  }
}
