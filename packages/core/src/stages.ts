// What start opens, stopped in the exact reverse order. One that throws or hangs does not keep the others from stopping.

import { type Fault, reasonOf } from './errors.ts';
import { wait } from './every.ts';

export type StageOptions = {
  /** For the log; a class instance has its class's name when this is left out. */
  readonly name?: string;
  /** Milliseconds that stopping it may take; by default nearly all that is left of `--drain-timeout`. */
  readonly deadline?: number;
  /** What it has not done, asked when its time is over. */
  readonly left?: () => Fault | undefined;
};

type Stage = {
  readonly name: string;
  readonly stop: () => Promise<void>;
  readonly deadline: number;
  readonly left?: StageOptions['left'] | undefined;
};

/** How one stage ended. */
export type Stopped = {
  readonly name: string;
  readonly milliseconds: number;
  /** Stopping threw or rejected. */
  readonly error?: unknown;
  /** It had not ended at its deadline and was left behind. */
  readonly late?: boolean;
  /** What it has not done. */
  readonly left?: Fault | undefined;
};

type Disposal = Disposable | AsyncDisposable;

/** The longest part of the time left that a hanging stage leaves to those below it, in milliseconds. */
const longestReserve = 1000;

/** A stack of disposables with names and deadlines. */
export class Stages {
  readonly #stack = new AsyncDisposableStack();
  readonly #stopped: Stopped[] = [];
  #opened = 0;
  #left = 0;
  #end = Number.POSITIVE_INFINITY;

  /**
   * Stops the value when its turn comes, and returns it. Once stopping has begun it is stopped at once and the call throws:
   * nobody is left who would use it.
   */
  use<T extends Disposal | null | undefined>(value: T, options: StageOptions = {}): T {
    if (value === null || value === undefined) return value;
    this.#add(options.name ?? classOf(value), () => dispose(value), options);
    return value;
  }

  /** Calls the function when its turn comes. */
  defer(stop: () => unknown, options: StageOptions = {}): void {
    this.#add(options.name, async () => void (await stop()), options);
  }

  #add(name: string | undefined, stop: () => Promise<void>, { deadline, left }: StageOptions): void {
    this.#opened++;
    const stage = { name: name ?? `stage ${this.#opened}`, stop, deadline: deadline ?? Number.POSITIVE_INFINITY, left };
    if (this.#stack.disposed) {
      void this.#stop(stage);
      throw new Error(`"${stage.name}" was opened while stopping`);
    }
    this.#left++;
    this.#stack.defer(() => {
      this.#left--;
      return this.#stop(stage);
    });
  }

  /**
   * Stops everything, the last opened first, each after the one before has ended or its time is over. Never rejects.
   * @param milliseconds for all of them together
   * @param opening whoever is still opening stages: it is waited for first, as the topmost of them
   */
  async stop(milliseconds: number, opening?: () => Promise<unknown> | undefined): Promise<readonly Stopped[]> {
    this.#end = performance.now() + milliseconds;
    if (opening)
      await this.#stop({ name: 'start', stop: async () => void (await opening()), deadline: Number.POSITIVE_INFINITY });
    await this.#stack.disposeAsync();
    return this.#stopped;
  }

  async #stop({ name, stop, deadline, left }: Stage): Promise<void> {
    const begun = performance.now();
    const remaining = Math.max(0, this.#end - begun);
    const reserve = this.#left > 0 ? Math.min(longestReserve, remaining / 10) : 0;
    const outcome = await within(Math.min(deadline, remaining - reserve), stop);
    const undone = outcome.late && left ? { left: left() } : {};
    this.#stopped.push({ name, milliseconds: performance.now() - begun, ...outcome, ...undone });
  }
}

async function within(milliseconds: number, stop: () => Promise<void>): Promise<{ error?: unknown; late?: true }> {
  const over = new AbortController();
  const ended = stop().then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
  if (!Number.isFinite(milliseconds)) return ended;
  const late = wait(milliseconds, over.signal).then(
    () => ({ late: true as const }),
    () => ({}),
  );
  try {
    return await Promise.race([ended, late]);
  } finally {
    over.abort();
  }
}

async function dispose(value: Disposal): Promise<void> {
  if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]();
  else value[Symbol.dispose]();
}

const classOf = (value: object): string | undefined => {
  const { name } = value.constructor;
  return name && name !== 'Object' ? name : undefined;
};

/** `sources did not stop within 1800 ms`, `sinks: connection reset` */
export function sayStopped({ name, milliseconds, error, late, left }: Stopped): string {
  if (!late) return `${name}: ${reasonOf(error)}`;
  const undone = left ? `: ${left.message}` : '';
  return `${name} did not stop within ${Math.round(milliseconds)} ms${undone}`;
}
