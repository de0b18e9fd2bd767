// Follows files through rotation. The files themselves are the buffer: nothing is held in memory but what is in flight,
// and a rotated file stays open until every sink has acknowledged the whole of it.

import { type Context, every, type Parameters, wait } from '@outrigger/core';
import type { Cursor, Generation, Identity } from '../ledger.ts';
import type { metrics } from '../metrics.ts';
import { Copies } from './copies.ts';
import { type FollowedFile, rewritten } from './followed-file.ts';
import { FollowedFiles, type Surroundings } from './followed-files.ts';
import { byAge, generations, isGeneration } from './generations.ts';
import type { Found, Paths, Troubles } from './paths.ts';
import { Resumption } from './resume.ts';

export type TailerOptions = Surroundings &
  Pick<Context<Parameters, typeof metrics>, 'signal' | 'fail'> & {
    readonly paths: Paths;
    readonly troubles: Troubles;
    /** Milliseconds between two looks at the files. */
    readonly poll: number;
    /** For how long a rotated file must have been quiet before its last line is taken to be whole. */
    readonly rotateWait: number;
    /** How long to go on after `signal` while files still grow. */
    readonly patience: number;
  };

// Names are looked up less often than files: a new file may wait a second, a new line should not.
const globPeriod = 1000;

// A writer may hold on to a rotated file for as long as it likes, so one that still has a name stays open; but not without bound.
const mostFinished = 16;

type Identified = Generation & { readonly identity: Identity; readonly key: string };

export class Tailer implements AsyncDisposable {
  readonly #options: TailerOptions;
  readonly #files: FollowedFiles;
  readonly #copies: Copies;
  readonly #resumption: Resumption;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #running: Promise<void> | undefined;
  #lookedForRotated = Number.NEGATIVE_INFINITY;

  constructor(options: TailerOptions) {
    this.#options = options;
    this.#files = new FollowedFiles(options);
    this.#copies = new Copies(this.#files, options);
    this.#resumption = new Resumption({ ...options, files: this.#files, copies: this.#copies });
  }

  /** Oldest first. */
  get files(): readonly FollowedFile[] {
    return this.#files.byAge;
  }

  /** Resolves after the next look at the files. */
  get change(): Promise<void> {
    return this.#changed.promise;
  }

  /** Nothing more is looked for: what the files hold now is all there is. */
  get ended(): boolean {
    return this.#ended;
  }

  isQuiet(file: FollowedFile): boolean {
    return file.account.rotated && performance.now() - file.grown >= this.#options.rotateWait;
  }

  /** Finds what there is and what an earlier run had left, then goes on looking. */
  async start(): Promise<void> {
    await this.poll();
    this.#running = this.#run().catch(this.#options.fail);
  }

  async #run(): Promise<void> {
    const { poll, signal, patience } = this.#options;
    await every(poll, signal, async () => {
      await this.poll();
    });
    // SIGTERM usually comes after the application has ended, but need not: go on until all is quiet, though not for ever.
    const end = performance.now() + patience;
    while ((await this.poll()) && performance.now() < end) await wait(poll);
    this.#ended = true;
    this.#announce();
  }

  /** Looks at all names and files once. Returns whether anything was new. */
  async poll(): Promise<boolean> {
    const { paths, signal, ledger, metrics } = this.#options;
    const found = await paths.look(signal.aborted ? 0 : globPeriod);
    const present = Map.groupBy(found, ({ key }) => key);
    let news = false;
    // Before anything younger comes in sight: what was written before a rotation is read before what was written after it.
    for (const file of this.files) news = (await this.#refresh(file)) || news;
    for (const file of this.files) this.#noticeRotation(file, present);
    await this.#resumption.resume(present);
    await this.#lookForRotated(found);
    for (const each of found.sort(byAge)) {
      const base = found.find(({ path }) => isGeneration(each.path, path))?.path;
      news = (await this.#arrive(each, base ?? each.path)) || news;
    }
    await this.#forget(present);
    for (const sink of ledger.sinks) metrics.lag.set({ sink }, ledger.lag(sink));
    this.#announce();
    return news;
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #noticeRotation({ key, account, unread }: FollowedFile, present: Map<string, Found[]>): void {
    const { log, metrics, events } = this.#options;
    const inPlace = present.get(key)?.some(({ path }) => path === account.path) ?? false;
    const rotatedNow = !inPlace && !account.rotated;
    account.rotated = !inPlace;
    if (!rotatedNow) return;
    metrics.rotations.inc();
    events.publish('rotated', { path: account.path });
    log.info('File rotated', { path: account.path, unread });
  }

  /** Files that came and went under paths where there is none now. */
  async #lookForRotated(found: readonly Found[]): Promise<void> {
    const { paths, ledger, signal } = this.#options;
    if (!signal.aborted && performance.now() - this.#lookedForRotated < globPeriod) return;
    this.#lookedForRotated = performance.now();
    const there = new Set(found.map(({ path }) => path));
    const absent = [...paths.names, ...ledger.youngest.keys()].filter((path) => !there.has(path));
    for (const path of new Set(absent)) await this.#followGenerations(path);
  }

  /** Files that came and went under a path since it was looked at last: rotation is quicker than any poll. */
  async #followGenerations(path: string): Promise<void> {
    const { ledger } = this.#options;
    const isNew = ledger.newUnder(path);
    const isWanted = (file: Identified) => !this.#files.has(file.key) && !ledger.kept.has(file.key) && isNew(file);
    for await (const found of generations(path)) {
      if (!isWanted(found)) continue;
      const file = await this.#open(found, path);
      if (!file) continue;
      // The name may have passed to another file in between; the one that was seen comes again further on.
      if (isWanted({ ...file.account, key: file.key })) await this.#follow(file);
      else await file[Symbol.asyncDispose]();
    }
  }

  /** Begins to follow a file under its own path, unless it is known. Returns whether it is new. */
  async #arrive(found: Found, lineage: string): Promise<boolean> {
    if (this.#files.has(found.key)) return false;
    const file = await this.#open(found, found.path, lineage);
    if (!file) return false;
    // With this one in hand, whatever is older has a rotated name by now; and it is to be read first.
    await this.#followGenerations(found.path);
    return this.#follow(file);
  }

  async #open(found: Found, path: string, lineage?: string): Promise<FollowedFile | undefined> {
    const { troubles, ledger } = this.#options;
    try {
      const file = await this.#files.open(found.path, path, lineage);
      troubles.end(found.path);
      file.account.rotated = found.path !== path;
      return file;
    } catch (error) {
      // Renamed this moment.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      troubles.add(found.path, error);
      // Under its own path it is tried again with every poll; a rotated one would be passed over once a younger one is followed.
      if (path !== found.path) ledger.owe(path, found);
      return undefined;
    }
  }

  async #follow(file: FollowedFile): Promise<boolean> {
    await this.#copies.recognise(file);
    return this.#files.add(file);
  }

  async #refresh(file: FollowedFile): Promise<boolean> {
    try {
      const became = await file.refresh();
      if (became === rewritten) await this.#copies.rewritten(file);
      return became !== 'same';
    } catch (error) {
      this.#options.troubles.add(file.account.path, error);
      return false;
    }
  }

  /** A reader has found that what lies before a cursor is not what it was, unless the file was seen to be rewritten meanwhile. */
  async rewritten(file: FollowedFile, cursor: Cursor): Promise<void> {
    if ([...file.cursors()].includes(cursor)) await this.#copies.rewritten(file);
  }

  /** Rotated files of which every sink has everything, once nobody can be writing to them any more. */
  async #forget(present: Map<string, Found[]>): Promise<void> {
    const { paths, ledger } = this.#options;
    const finished = this.files.filter((file) => !present.has(file.key) && this.isQuiet(file) && file.finished);
    for (const generations of Map.groupBy(finished, ({ lineage }) => lineage).values()) {
      for (const [index, file] of generations.entries()) {
        if (!file.deleted && index >= generations.length - mostFinished) continue;
        await this.#files.remove(file);
        if (!paths.names.includes(file.account.path)) ledger.forget(file.account.path);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    await this.#files[Symbol.asyncDispose]();
  }
}
