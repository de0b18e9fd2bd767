// Waits until changes pause, so that several files written one after the other make one generation.

export type Settle = AsyncDisposable & {
  /** Something may have changed. */
  touch(): void;
  /** Looks without waiting, unless a look is due or under way anyway. */
  now(): Promise<void>;
  /** A look that begins now or, when one is under way, right after it. */
  next(): Promise<void>;
};

export type SettleOptions = {
  /** Quiet time before looking, in milliseconds; read at every change. 0 looks at once. */
  readonly period: () => number;
  /** Never runs twice at a time; a change meanwhile leads to another run. Must not reject. */
  readonly look: () => Promise<void>;
};

/** Who never pauses is looked at nevertheless, each time this many periods have passed. */
export const longest = 10;

/** Nothing runs after disposal, which waits for a look under way. */
export function openSettle({ period, look }: SettleOptions): Settle {
  let first: number | undefined;
  let last = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let ended = Promise.resolve();
  let closed = false;

  const due = () => Math.min(last + period(), (first ?? last) + longest * period()) - performance.now();

  const arm = () => {
    if (closed || running || timer || first === undefined) return;
    // One timer for any number of changes: when it fires too early, it is set again.
    timer = setTimeout(fire, Math.max(0, due()));
  };

  const fire = () => {
    timer = undefined;
    // Timers may fire a fraction of a millisecond early.
    if (due() > 1) return arm();
    void run();
  };

  const run = () => {
    clearTimeout(timer);
    timer = undefined;
    first = undefined;
    running = true;
    ended = look().finally(() => {
      running = false;
      arm();
    });
    return ended;
  };

  return {
    touch() {
      last = performance.now();
      first ??= last;
      arm();
    },
    async now() {
      if (!closed && !running && first === undefined) await run();
    },
    async next() {
      if (running) await ended;
      // Somebody else who waited may have begun it.
      if (!closed) await (running ? ended : run());
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await ended;
    },
  };
}
