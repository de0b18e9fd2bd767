// Watches how long the event loop is held up. While it is, nothing here runs and a probe waits; what waited is then told.

/** The timer fires so often, or as often as a small limit needs: one wake-up a second is all that it costs an idle sidecar. */
const longestPeriod = 1000;

/**
 * For so long after it a stall counts: long enough for the probe that waited, short enough that one hiccup (a suspended
 * machine, SIGSTOP, a throttled control group) is over before the kubelet has failed three times. It doubles with each
 * stall that follows within a minute: a loop that is stuck again and again fails all probes, not only those that wait.
 */
const shortestMemory = 5_000;
const longestMemory = 60_000;

export class Watchdog implements Disposable {
  readonly #limit: () => number;
  #timer: NodeJS.Timeout;
  // The monotonic clock: whatever is done to the time of day is no stall.
  #due = 0;
  #longest = 0;
  #stall = { milliseconds: 0, ended: Number.NEGATIVE_INFINITY, memory: shortestMemory };

  /** @param limit milliseconds that the loop may be held up; 0 for any time. Asked each time. */
  constructor(limit: () => number) {
    this.#limit = limit;
    this.#timer = this.#next();
  }

  #next(): NodeJS.Timeout {
    const limit = this.#limit();
    // A stall is seen by how late the timer is, so up to one period of it is not.
    const period = limit > 0 ? Math.min(longestPeriod, Math.max(100, limit / 5)) : longestPeriod;
    this.#due = performance.now() + period;
    return setTimeout(this.#fire, period).unref();
  }

  readonly #fire = (): void => {
    this.#look();
    this.#timer = this.#next();
  };

  /** Also from a probe: after a stall it may be answered before the timer fires. */
  #look(): void {
    const now = performance.now();
    const late = now - this.#due;
    this.#longest = Math.max(this.#longest, late);
    const limit = this.#limit();
    if (limit > 0 && late > limit) this.#remember(late, now);
  }

  #remember(late: number, now: number): void {
    const { milliseconds, ended, memory } = this.#stall;
    const begun = now - late;
    if (begun < ended) {
      // The same one, seen again before the timer has fired.
      this.#stall = { milliseconds: Math.max(milliseconds, late), ended: now, memory };
      return;
    }
    const again = begun - ended < longestMemory;
    this.#stall = {
      milliseconds: late,
      ended: now,
      memory: again ? Math.min(longestMemory, memory * 2) : shortestMemory,
    };
  }

  /** Why this process is not alive, for /livez. */
  readonly check = (): string | undefined => {
    this.#look();
    const { milliseconds, ended, memory } = this.#stall;
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
