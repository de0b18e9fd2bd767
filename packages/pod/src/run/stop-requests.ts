// SIGINT, SIGTERM, SIGHUP and a closed stdout or stderr ask the Pod to stop; the second time they insist.

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// npm and pnpm pass on to us what the terminal has sent to us already: that is one Ctrl-C, not two.
const echoMilliseconds = 250;

/** For as long as the process lives: a signal that comes while things are cleared away must not interrupt that. */
export class StopRequests {
  readonly #asked = new AbortController();
  readonly #insisted = new AbortController();
  #askedAt = 0;

  constructor() {
    for (const signal of signals) process.on(signal, this.#ask);
    for (const stream of [process.stdout, process.stderr]) stream.on('error', this.#ask);
  }

  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  get insisted(): AbortSignal {
    return this.#insisted.signal;
  }

  #ask = (what: NodeJS.Signals | NodeJS.ErrnoException): void => {
    if (!this.#asked.signal.aborted) {
      this.#askedAt = performance.now();
      this.#asked.abort();
      return;
    }
    // Whoever read our output is gone, and that shows with every line: it is no insisting.
    if (what instanceof Error || performance.now() - this.#askedAt < echoMilliseconds) return;
    this.#insisted.abort();
  };
}
