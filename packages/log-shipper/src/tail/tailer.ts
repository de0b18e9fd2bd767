// Follows files through rotation. The files themselves are the buffer: nothing is held in memory but what is in flight,
// and a rotated file stays open until every sink has acknowledged the whole of it.

import { dirname } from 'node:path';
import { type Context, Fault, type Parameters, wait } from '@outrigger/core';
import type { Cursor } from '../ledger.ts';
import type { metrics } from '../metrics.ts';
import { Copies } from './copies.ts';
import { type FollowedFile, rewritten } from './followed-file.ts';
import { FollowedFiles, type Surroundings } from './followed-files.ts';
import { basesOf, byAge } from './generations.ts';
import type { Hold } from './hold.ts';
import { Links, targetOf } from './links.ts';
import type { Found } from './look.ts';
import { Pace, worked } from './pace.ts';
import { breather, type Paths, type Troubles } from './paths.ts';
import type { Ready } from './ready.ts';
import { Resumption } from './resume.ts';
import { Turns } from './turns.ts';

export type TailerOptions = Surroundings &
  Pick<Context<Parameters, typeof metrics>, 'signal' | 'fail'> & {
    readonly paths: Paths;
    readonly troubles: Troubles;
    /** Milliseconds between two looks at the files. */
    readonly poll: number;
    /** For how long a rotated file must have been quiet before its last line is taken to be whole. */
    readonly rotateWait: number;
    /** Keeps files from being removed before they are acknowledged. */
    readonly hold?: Hold | undefined;
    /** How long to go on after `signal` while files still grow. */
    readonly patience: number;
  };

// Names are looked up less often than files: the kernel tells of a new file, and where it does not, it may wait a second.
const globPeriod = 1000;

// A writer may hold on to a rotated file for as long as it likes, so one that still has a name stays open; but not without bound.
const mostFinished = 16;

// An application that writes nothing for so many milliseconds after everybody was told to stop has ended.
const quietFor = 250;

export class Tailer implements AsyncDisposable {
  readonly #options: TailerOptions;
  readonly #files: FollowedFiles;
  readonly #copies: Copies;
  readonly #resumption: Resumption;
  readonly #pace: Pace;
  readonly #turns: Turns;
  readonly #links = new Links();
  #ended = false;
  #running: Promise<void> | undefined;
  #lookedForRotated = Number.NEGATIVE_INFINITY;

  constructor(options: TailerOptions) {
    const { log, poll, signal } = options;
    this.#options = options;
    this.#files = new FollowedFiles(options, (file) => this.#added(file));
    this.#turns = new Turns(this.#files);
    this.#copies = new Copies(this.#files, options);
    this.#resumption = new Resumption({ ...options, hold: options.hold, files: this.#files, copies: this.#copies });
    this.#pace = new Pace({
      poll,
      signal,
      fileAt: (path) => this.#links.at(path) ?? this.#files.at(path).find(({ at }) => at === path),
      filesIn: (directory) => this.#filesIn(directory),
      look: (file) => this.#refresh(file),
      remind: () => this.#turns.remind(),
      deaf: (directory, reason) => log.info('Files are only looked at from time to time', { directory, reason }),
    });
  }

  get size(): number {
    return this.#files.size;
  }

  /** What the files hold now is all there is. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether nobody writes to it any more, so that its last line is one without a newline. */
  isWhole(file: FollowedFile): boolean {
    return file.account.rotated && performance.now() - file.grown >= this.#options.rotateWait;
  }

  /** Whoever reads is told what may have something to read. */
  listen(): Ready {
    return this.#turns.listen();
  }

  /** A reader has been at it. */
  left(file: FollowedFile): void {
    if (this.#turns.left(file)) this.#pace.remindLater();
  }

  #added(file: FollowedFile): void {
    this.#links.add(file);
    this.#options.hold?.take(file);
    this.#turns.offer(file);
  }

  /** Finds what there is and what an earlier run had left, then goes on looking. */
  async start(): Promise<void> {
    await this.poll();
    const { hold, ledger, paths } = this.#options;
    const isKnown = (key: string) => this.#files.has(key) || ledger.kept.has(key);
    hold?.sweep(isKnown, (found, path) => paths.match(path) && this.#arrive(found, path, path));
    this.#running = this.#run().catch(this.#options.fail);
  }

  async #run(): Promise<void> {
    const { poll, signal, patience } = this.#options;
    for (let took = 0; !signal.aborted; ) {
      const named = await this.#pace.rest(took);
      const begun = worked();
      if (!signal.aborted) await this.poll(named);
      took = worked() - begun;
    }
    // SIGTERM usually comes after the application has ended, but need not: go on until all is quiet, though not for ever.
    const end = performance.now() + patience;
    while ((await this.poll()) && performance.now() < end) await wait(Math.min(poll, quietFor));
    this.#ended = true;
    this.#turns.end();
  }

  /** Looks at all names and files once. @param named whether names have changed. Returns whether anything was new. */
  async poll(named = this.#options.signal.aborted): Promise<boolean> {
    const { paths, ledger, metrics, hold } = this.#options;
    const found = await paths.look(named ? 0 : globPeriod);
    const present = Map.groupBy(found, ({ key }) => key);
    const there = new Set(found.map(({ path }) => path));
    const breathe = breather();
    let news = false;
    // Before anything younger comes in sight: what was written before a rotation is read before what was written after it.
    for (const file of [...this.#files]) {
      const names = present.get(file.key);
      if (names?.[0]) file.at = names[0].path;
      news = this.#refresh(file, names?.[0]) || news;
      if (!file.closed) this.#noticeRotation(file, names);
      await breathe();
    }
    this.#resumption.resume(present);
    await this.#lookForRotated(there, named);
    for (const each of found.sort(byAge)) {
      if (this.#files.has(each.key)) continue;
      const base = basesOf(each.path).find((path) => there.has(path));
      news = this.#arrive(each, base ?? each.path) || news;
      await breathe();
    }
    this.#files.sayRest();
    this.#forget(present);
    this.#files.handles.trim();
    hold?.trim(this.#files);
    for (const sink of ledger.sinks) metrics.lag.set({ sink }, ledger.lag(sink));
    this.#pace.listen(paths.directories.union(this.#links.directories));
    return news;
  }

  *#filesIn(directory: string): Generator<FollowedFile> {
    for (const file of this.#files) if (dirname(file.at) === directory) yield file;
    yield* this.#links.in(directory);
  }

  #noticeRotation({ account, unread }: FollowedFile, names: readonly Found[] | undefined): void {
    const { log, metrics, events } = this.#options;
    const inPlace = names?.some(({ path }) => path === account.path) ?? false;
    const rotatedNow = !inPlace && !account.rotated;
    account.rotated = !inPlace;
    if (!rotatedNow) return;
    metrics.rotations.inc();
    events.publish('rotated', { path: account.path });
    log.info('File rotated', { path: account.path, unread });
  }

  /** Files that came and went under paths where there is none now. */
  async #lookForRotated(there: ReadonlySet<string>, named: boolean): Promise<void> {
    const { paths, ledger } = this.#options;
    if (!named && performance.now() - this.#lookedForRotated < globPeriod) return;
    this.#lookedForRotated = performance.now();
    const breathe = breather();
    for (const path of new Set([...paths.names, ...ledger.youngest.keys()])) {
      if (!there.has(path)) this.#followGenerations(path);
      await breathe();
    }
  }

  /**
   * Files that came and went under a path since it was looked at last: rotation is quicker than any poll. @param at where
   * they are, when the path is a link to there.
   */
  #followGenerations(path: string, at = path): void {
    const { ledger } = this.#options;
    const isNew = ledger.newUnder(path);
    const older = this.#files.generations(at, {
      isWanted: (file) => !this.#files.has(file.key) && !ledger.kept.has(file.key) && isNew(file),
      open: (found) => this.#open(found, path),
    });
    for (const file of older) this.#follow(file);
  }

  /** Begins to follow a file under its own path, unless it is known. Returns whether it is new. */
  #arrive(found: Found, lineage: string, path = found.path): boolean {
    const file = this.#open(found, path, lineage);
    if (!file) return false;
    // With this one in hand, whatever is older has a rotated name by now; and it is to be read first.
    this.#followGenerations(found.path);
    const target = targetOf(found.path);
    if (target !== undefined) this.#followGenerations(found.path, target);
    for (const older of this.#files.lineage(lineage)?.files ?? []) this.#refresh(older);
    return this.#follow(file);
  }

  #open(found: Found, path: string, lineage?: string): FollowedFile | undefined {
    const { troubles, ledger } = this.#options;
    try {
      const file = this.#files.open(found.path, path, lineage);
      troubles.end(found.path);
      return file;
    } catch (error) {
      // Renamed this moment.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      troubles.add(found.path, error);
      // Under its own path it is tried again with every poll; a rotated one would be passed over once a younger one is followed.
      if (path !== found.path && !(error instanceof Fault)) ledger.owe(path, found);
      return undefined;
    }
  }

  #follow(file: FollowedFile): boolean {
    if (this.#copies.isOfNow(file)) file[Symbol.dispose]();
    else this.#files.succeed(file);
    return !file.closed && this.#files.add(file);
  }

  #refresh(file: FollowedFile, found?: Found): boolean {
    const { resting } = file;
    const { known } = file.account;
    try {
      const became = file.refresh(found);
      if (known.offset === 0 && became === 'changed') this.#copies.missed(file);
      if (became === rewritten) this.rewritten(file);
      else if (became === 'changed' || resting) this.#turns.offer(file);
      return became !== 'same';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#lose(file);
      else this.#options.troubles.add(file.account.path, error);
      return false;
    }
  }

  /** What lies before a cursor is not what it was, unless the file was seen to be rewritten since it was read. */
  rewritten(file: FollowedFile, cursor?: Cursor): void {
    if (cursor && !file.has(cursor)) return;
    this.#copies.rewritten(file);
    this.#turns.offer(file);
  }

  /** It had to be closed, since there are too many, and was removed meanwhile. */
  #lose(file: FollowedFile): void {
    this.#files.sayGone(file.account.path, file.account.size - file.account.acknowledged);
    this.#remove(file);
  }

  #remove(file: FollowedFile): void {
    const { paths, ledger, troubles, hold } = this.#options;
    hold?.release(file);
    this.#files.remove(file);
    this.#links.remove(file);
    troubles.forget(file.account.path);
    if (!paths.names.has(file.account.path)) ledger.forget(file.account.path);
  }

  /** Rotated files of which every sink has everything, once nobody can be writing to them any more. */
  #forget(present: Map<string, Found[]>): void {
    const most = this.#files.handles.scarce ? 0 : mostFinished;
    for (const { files } of [...this.#files.lineages]) {
      const finished = files.filter((file) => !present.has(file.key) && this.isWhole(file) && file.finished);
      for (const [index, file] of finished.entries())
        if (file.deleted || index < finished.length - most) this.#remove(file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    this.#pace[Symbol.dispose]();
    for (const file of this.#files) if (file.finished) this.#options.hold?.release(file);
    this.#files[Symbol.dispose]();
  }
}
