// Looks at what is watched and finds out whether it is new, and what stands in the way of knowing.

import { createHash } from 'node:crypto';
import { Fault } from '../errors.ts';
import { errors } from './errors.ts';
import { type HashedRoot, type Snapshot, takeSnapshot } from './snapshot.ts';
import type { Place } from './survey.ts';

export type Change = {
  /** Of the content of all paths together. */
  readonly hash: string;
  /** performance.now() at the first sign of it. */
  readonly since: number;
  /** It is what was there at the first look, not a change. */
  readonly found: boolean;
  /** The kernel or the poll timer told of it; otherwise the periodic comparison found it. */
  readonly hinted: boolean;
};

export type Look = {
  readonly result: 'changed' | 'unchanged' | 'failed';
  /** Paths at which nothing is. */
  readonly missing: readonly string[];
};

/** Who wants to know what of what is watched. */
export type Told = {
  /**
   * The content differs from what was reported last; first of all, what is found at the start. Two calls never overlap.
   * What it throws is complained of (as WATCH_NOT_TAKEN when it is no Fault), and it is called again a second later until
   * it takes the change. It must not wait for the watcher's disposal, which waits for it.
   */
  readonly changed: (change: Change) => void | Promise<void>;
  /** Something stands in the way: told once, when it begins. */
  readonly complained?: (fault: Fault) => void;
  /** ... and once, when it has ended. */
  readonly recovered?: (fault: Fault) => void;
  /** Told after each look. */
  readonly looked?: (look: Look) => void;
};

export type DetectorOptions = Told & {
  readonly paths: () => readonly string[];
  readonly listen: (places: ReadonlyMap<string, Place>) => boolean;
  /** Asks for another look, since this one failed. @param took milliseconds that it took */
  readonly again: (took: number) => void;
};

export class Detector {
  readonly #options: DetectorOptions;
  // By path. One that goes missing keeps its hash: nothing there is not the same as empty content.
  readonly #hashes = new Map<string, string>();
  #complaints: ReadonlyMap<string, Fault> = new Map();
  #snapshot: Snapshot | undefined;
  #hash: string | undefined;
  #sign: number | undefined;
  #distrusted = false;
  #first = true;

  constructor(options: DetectorOptions) {
    this.#options = options;
  }

  /** Of the content that was reported last. */
  get hash(): string | undefined {
    return this.#hash;
  }

  get missing(): string[] {
    return this.#snapshot?.roots.filter(({ missing }) => missing).map(({ path }) => path) ?? [];
  }

  /** The kernel or the poll timer says that something may have changed. */
  hinted(): void {
    this.#sign ??= performance.now();
  }

  /** The next look reads every file, also those that look unchanged. */
  distrust(): void {
    this.#distrusted = true;
  }

  /** Never rejects: what cannot be read or taken over now is tried again. */
  async look(): Promise<void> {
    const { again, looked } = this.#options;
    const started = performance.now();
    const sign = this.#sign;
    const failures: Fault[] = [];
    this.#sign = undefined;
    let isNew = false;
    try {
      const { roots } = await this.#read();
      failures.push(...roots.flatMap(({ fault }) => fault ?? []));
      isNew = await this.#report(roots, { started, sign });
    } catch (error) {
      failures.push(error instanceof Fault ? error : errors.WATCH_NOT_TAKEN({ paths: this.#named }, error));
    }
    // What a later look reports may have changed since somebody else read it.
    this.#first = false;
    const failed = failures.length > 0;
    if (failed && !isNew) this.#sign ??= sign;
    this.#complain([...failures, ...oddities(this.#snapshot)]);
    looked?.({ result: isNew ? 'changed' : failed ? 'failed' : 'unchanged', missing: this.missing });
    if (failed) again(performance.now() - started);
  }

  async #read(): Promise<Snapshot> {
    const { paths, listen } = this.#options;
    const previous = this.#distrusted ? undefined : this.#snapshot;
    this.#distrusted = false;
    try {
      this.#snapshot = await takeSnapshot({ paths: [...new Set(paths())], listen, previous });
      return this.#snapshot;
    } catch (error) {
      this.#distrusted ||= !previous;
      throw error instanceof Fault ? error : errors.WATCH_UNREADABLE({ path: this.#named }, error);
    }
  }

  /** Returns whether there was something new, and it was taken. */
  async #report(roots: readonly HashedRoot[], { started, sign }: { started: number; sign: number | undefined }) {
    for (const { path, hash } of roots) if (hash !== undefined) this.#hashes.set(path, hash);
    // Nothing is reported before everything could be read once.
    if (this.#hash === undefined && roots.some(({ fault }) => fault)) return false;
    const hash = this.#combine(roots);
    if (hash === this.#hash) return false;
    await this.#options.changed({ hash, since: sign ?? started, found: this.#first, hinted: sign !== undefined });
    this.#hash = hash;
    return true;
  }

  #combine(roots: readonly HashedRoot[]): string {
    const hash = createHash('sha256');
    for (const { path } of roots) hash.update(`${path}\0${this.#hashes.get(path) ?? 'never seen'}\n`);
    return hash.digest('hex');
  }

  /** Each complaint is made when it begins and taken back when it has ended, not at every look. */
  #complain(faults: readonly Fault[]): void {
    const { complained, recovered } = this.#options;
    const before = this.#complaints;
    this.#complaints = new Map(faults.map((fault) => [fault.message, fault]));
    for (const [message, fault] of this.#complaints) if (!before.has(message)) complained?.(fault);
    for (const [message, fault] of before) if (!this.#complaints.has(message)) recovered?.(fault);
  }

  get #named(): string {
    return this.#options.paths().join(', ');
  }
}

const oddities = (snapshot: Snapshot | undefined): Fault[] =>
  (snapshot?.roots ?? []).flatMap(({ path, missing, skipped }) => [
    ...(missing ? [errors.WATCH_MISSING({ path })] : []),
    ...skipped.map((each) => errors.WATCH_SKIPPED({ path: each })),
  ]);
