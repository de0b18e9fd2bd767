// When to look at which files: at fixed times whatever happens, and at once where the kernel says that there is something.

import { dirname } from 'node:path';
import type { FollowedFile } from './followed-file.ts';
import { Hints } from './hints.ts';

export type PaceOptions = {
  /** Milliseconds between two looks at everything. */
  readonly poll: number;
  readonly signal: AbortSignal;
  /** The file of that path, if it is followed. */
  readonly fileAt: (path: string) => FollowedFile | undefined;
  readonly filesIn: (directory: string) => Iterable<FollowedFile>;
  /** Looks at one file. Returns whether it has changed. */
  readonly look: (file: FollowedFile) => boolean;
  /** Files of which something is left: those for whom time may have made a difference are offered again. */
  readonly remind: () => boolean;
  readonly deaf: (directory: string, reason: string) => void;
};

/** An application that writes line by line is not followed line by line: milliseconds between two looks. */
const gap = 10;

// Looking at thousands of files takes its time; of all time, it may take one part in so many, or in so many when there is
// something to be found.
const restAfterLook = 50;
const restBeforeHint = 10;

/** However long it took: milliseconds after which whatever nobody told of is found. */
const longestRest = 10_000;

/**
 * How long this thread has worked, in milliseconds. What has taken its time is not to be done all the time; but a process that
 * was stopped, or had to wait for the processor, would by the clock rest for minutes.
 */
export function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A directory of no more files than this is looked through faster than the kernel can tell of each write. */
const few = 64;

export class Pace implements Disposable {
  readonly #options: PaceOptions;
  readonly #hints: Hints;
  readonly #written = new Set<FollowedFile>();
  /** Directories with more events than are worth hearing, and the files in them to look at instead. */
  readonly #noisy = new Map<string, Set<FollowedFile>>();
  #timer: NodeJS.Timeout | undefined;
  #reminder: NodeJS.Timeout | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #named = false;
  #wake: (() => void) | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#hints = new Hints({
      written: (path) => this.#hear(path),
      named: () => this.#noticeNames(),
      deaf: options.deaf,
    });
    options.signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  listen(directories: ReadonlySet<string>): void {
    this.#hints.listen(directories);
  }

  /**
   * Until it is time to look at everything again. @param took milliseconds of CPU that this took last time. Returns whether
   * names have changed, as far as the kernel tells.
   */
  async rest(took: number): Promise<boolean> {
    const { poll, signal } = this.#options;
    await this.#sleep(Math.min(poll, Math.max(gap, restBeforeHint * took)), () => signal.aborted);
    const rest = Math.min(restAfterLook * took, longestRest);
    await this.#sleep(Math.max(poll, rest), () => signal.aborted || this.#named);
    const named = this.#named;
    this.#named = false;
    return named;
  }

  async #sleep(milliseconds: number, isAwake: () => boolean): Promise<void> {
    if (isAwake()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#wake = () => isAwake() && resolve();
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }

  #noticeNames(): void {
    this.#named = true;
    this.#wake?.();
  }

  /** Something was left: time alone may make a difference. */
  remindLater(): void {
    this.#reminder ??= setTimeout(() => {
      this.#reminder = undefined;
      if (this.#options.remind()) this.remindLater();
    }, this.#options.poll);
  }

  #hear(path: string): void {
    const file = this.#options.fileAt(path);
    if (!file) return;
    this.#written.add(file);
    this.#lookSoon();
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => this.#look(), Math.max(0, this.#lookedAt + gap - performance.now()));
  }

  #look(): void {
    this.#timer = undefined;
    this.#lookedAt = performance.now();
    const files = [...this.#written];
    this.#written.clear();
    for (const file of files) if (!file.closed) this.#options.look(file);
    const muted = this.#hints.mute();
    for (const directory of muted) this.#lookInto(directory, files);
    if (muted.size > 0) this.#lookSoon();
  }

  /** Instead of listening to it, until there is nothing new. */
  #lookInto(directory: string, written: readonly FollowedFile[]): void {
    const files = this.#noisy.get(directory);
    // Just begun: what was looked at a moment ago need not have changed since.
    if (!files) return void this.#noisy.set(directory, this.#choose(directory, written));
    let news = false;
    for (const file of files) {
      const changed = !file.closed && this.#options.look(file);
      news ||= changed;
      if (!changed && files.size > few) files.delete(file);
    }
    if (news) return;
    this.#noisy.delete(directory);
    this.#hints.unmute(directory);
    // Nobody told which names were given meanwhile.
    this.#noticeNames();
  }

  #choose(directory: string, written: readonly FollowedFile[]): Set<FollowedFile> {
    const files = new Set(this.#options.filesIn(directory));
    return files.size <= few ? files : new Set(written.filter(({ at }) => dirname(at) === directory));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#reminder);
    this.#hints[Symbol.dispose]();
  }
}
