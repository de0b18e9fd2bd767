// A time limit with words of its own, beside a signal that may abort before.

export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number, reason: () => Error, outer?: AbortSignal) {
    const own = new AbortController();
    this.#timer = setTimeout(() => own.abort(reason()), milliseconds);
    this.signal = outer ? AbortSignal.any([own.signal, outer]) : own.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** No answer in time, though there is a connection. */
export class Silence extends Error {}
