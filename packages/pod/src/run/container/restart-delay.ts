// How long to wait before a container starts again: not at all the first time, then 1 s doubling to 60 s. Ten minutes
// of running make it new.

const firstMilliseconds = 1_000;
const longestMilliseconds = 60_000;
const forgivenMilliseconds = 10 * 60_000;

export class RestartDelay {
  #next = 0;

  /** @param ranMilliseconds how long it ran before it ended. */
  after(ranMilliseconds: number): number {
    const delay = ranMilliseconds >= forgivenMilliseconds ? 0 : this.#next;
    this.#next = delay === 0 ? firstMilliseconds : Math.min(longestMilliseconds, delay * 2);
    return delay;
  }
}
