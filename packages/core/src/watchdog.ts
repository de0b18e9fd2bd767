// Watches how long the event loop is held up. While it is, nothing here runs and a probe waits; what waited is then told.

/** How often the timer fires: one wake-up a second is all that an idle sidecar pays for it. */
const period = 1000;

/** For how long after it a stall counts: long enough for the next probe, short enough that one hiccup restarts nothing. */
const memory = 5000;

export class Watchdog implements Disposable {
  readonly #limit: () => number;
  #timer: NodeJS.Timeout;
  #due = performance.now() + period;
  #longest = 0;
  #stall = { milliseconds: 0, ended: Number.NEGATIVE_INFINITY };

  /** @param limit milliseconds that the loop may be held up; 0 for any time. Asked at each probe. */
  constructor(limit: () => number) {
    this.#limit = limit;
    this.#timer = setTimeout(this.#fire, period).unref();
  }

  readonly #fire = (): void => {
    this.#look();
    this.#due = performance.now() + period;
    this.#timer = setTimeout(this.#fire, period).unref();
  };

  /** Also from a probe: after a stall it may be answered before the timer fires. */
  #look(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.#due);
    this.#longest = Math.max(this.#longest, late);
    const limit = this.#limit();
    if (limit > 0 && late > limit) this.#stall = { milliseconds: late, ended: now };
  }

  /** Why this process is not alive, for /livez. */
  readonly check = (): string | undefined => {
    this.#look();
    const { milliseconds, ended } = this.#stall;
    if (this.#limit() === 0 || performance.now() - ended > memory) return undefined;
    return `the event loop was held up for ${(milliseconds / 1000).toFixed(1)} s`;
  };

  /** The longest delay in seconds since this was asked last. */
  take(): number {
    this.#look();
    const seconds = this.#longest / 1000;
    this.#longest = 0;
    return seconds;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
