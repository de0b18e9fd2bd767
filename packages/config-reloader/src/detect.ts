// Looks at what is watched and finds out whether it is new.

import { createHash } from 'node:crypto';
import { Fault, type Latch, type Log, wait } from '@outrigger/core';
import type { Own } from './context.ts';
import { errors } from './errors.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import type { Place } from './survey.ts';
import { pollPeriod } from './watch.ts';

export type Change = {
  readonly hash: string;
  /** performance.now() at the first sign of it. */
  readonly since: number;
  /** Found at the start, not a change. */
  readonly found: boolean;
};

export type DetectorOptions = Pick<Own, 'health' | 'log' | 'metrics' | 'parameters' | 'signal'> & {
  readonly listen: (places: ReadonlyMap<string, Place>) => boolean;
  /** Asks for a look soon. */
  readonly again: () => void;
  readonly changed: (change: Change) => void;
};

export class Detector {
  readonly #options: DetectorOptions;
  readonly #scanned: Latch;
  readonly #complain: (faults: readonly Fault[]) => void;
  // By path. One that goes missing keeps its hash: nothing there is not the same as an empty configuration.
  readonly #hashes = new Map<string, string>();
  #snapshot: Snapshot | undefined;
  #hash: string | undefined;
  #sign: number | undefined;
  #distrusted = false;
  #failed = false;

  constructor(options: DetectorOptions) {
    this.#options = options;
    this.#scanned = options.health.latch('initial scan');
    this.#complain = complaints(options.log);
  }

  /** The kernel or the poll timer says that something may have changed. */
  hinted(): void {
    this.#sign ??= performance.now();
  }

  /** The next look reads every file, also those that look unchanged. */
  distrust(): void {
    this.#distrusted = true;
  }

  /** Never rejects: what cannot be read now is looked at again. */
  async look(): Promise<void> {
    const { listen, metrics, parameters } = this.#options;
    const started = performance.now();
    const sign = this.#sign;
    const previous = this.#distrusted ? undefined : this.#snapshot;
    this.#sign = undefined;
    this.#distrusted = false;
    try {
      this.#snapshot = await takeSnapshot({ paths: [...new Set(parameters.watch)], listen, previous });
    } catch (error) {
      this.#sign ??= sign;
      this.#distrusted ||= !previous;
      metrics.looks.inc({ result: 'failed' });
      this.#lookAgain(error);
      return;
    }
    this.#scanned.release();
    this.#compare(this.#snapshot, { started, sign });
  }

  #lookAgain(error: unknown): void {
    const { again, parameters, signal } = this.#options;
    const fault =
      error instanceof Fault ? error : errors.RELOAD_UNREADABLE({ path: parameters.watch.join(', ') }, error);
    this.#failed = true;
    if (this.#hash === undefined) this.#scanned.hold(fault.message);
    this.#complain([fault]);
    wait(pollPeriod, signal).then(again, () => undefined);
  }

  #compare(snapshot: Snapshot, { started, sign }: { started: number; sign: number | undefined }): void {
    const { changed, metrics } = this.#options;
    metrics.missingPaths.set(this.missing.length);
    this.#complain(oddities(snapshot));
    for (const { path, missing, hash } of snapshot.roots) if (!missing) this.#hashes.set(path, hash);
    const hash = this.#combine(snapshot);
    metrics.looks.inc({ result: hash === this.#hash ? 'unchanged' : 'changed' });
    if (hash === this.#hash) return;
    // What could not be read from the start on may have changed since the application read it.
    const found = this.#hash === undefined && !this.#failed;
    this.#hash = hash;
    if (!found) metrics.changes.inc();
    if (!found && sign === undefined) metrics.recoveredChanges.inc();
    changed({ hash, since: sign ?? started, found });
  }

  #combine({ roots }: Snapshot): string {
    const hash = createHash('sha256');
    for (const { path } of roots) hash.update(`${path}\0${this.#hashes.get(path) ?? 'never seen'}\n`);
    return hash.digest('hex');
  }

  /** Watched paths at which nothing is. */
  get missing(): string[] {
    return this.#snapshot?.roots.filter(({ missing }) => missing).map(({ path }) => path) ?? [];
  }
}

const oddities = ({ roots }: Snapshot): Fault[] =>
  roots.flatMap(({ path, missing, skipped }) => [
    ...(missing ? [errors.RELOAD_MISSING({ path })] : []),
    ...skipped.map((each) => errors.RELOAD_SKIPPED({ path: each })),
  ]);

/** Says each fault when it begins and when it has ended, not at every look. */
function complaints(log: Log): (faults: readonly Fault[]) => void {
  let standing = new Map<string, Fault>();
  return (faults) => {
    const now = new Map(faults.map((fault) => [fault.message, fault]));
    for (const [message, fault] of now) if (!standing.has(message)) log.warn(fault);
    for (const [message, { code, fields }] of standing)
      if (!now.has(message)) log.info(`No longer so: ${message}`, { code, ...fields });
    standing = now;
  };
}
