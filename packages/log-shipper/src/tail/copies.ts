// copytruncate: the content is copied under a rotated name, then the original is cut to nothing. What nobody had read
// of the original is in the copy, which is therefore read on from the same place.

import { errors } from '../errors.ts';
import { Cursor, type Cursors, isYounger, type Place } from '../ledger.ts';
import type { FollowedFile } from './followed-file.ts';
import type { FollowedFiles, Surroundings } from './followed-files.ts';
import { byAge, generations, isGeneration } from './generations.ts';

export type Left = { readonly path: string; readonly cursors: Cursors; readonly place: Place };

export class Copies {
  readonly #files: FollowedFiles;
  readonly #surroundings: Surroundings;

  constructor(files: FollowedFiles, surroundings: Surroundings) {
    this.#files = files;
    this.#surroundings = surroundings;
  }

  /** Whether a file that has appeared is a copy of one whose truncation has not been seen yet. Then it is not read again from its beginning. */
  async recognise(file: FollowedFile): Promise<void> {
    const original = this.#files.byAge.find(
      ({ account }) =>
        !account.rotated &&
        isGeneration(file.name, account.path) &&
        isYounger(file.account, account) &&
        account.known.offset > 0,
    );
    if (!original || !(await file.holds(original.account.known))) return;
    // From what is acknowledged: what is in flight belongs to the original.
    for (const [sink, { acknowledged }] of original.account.cursors)
      file.account.cursors.set(sink, new Cursor(acknowledged));
    file.copyOf = original;
    precede(file, original);
  }

  /** What lies before a known place is not what it was: truncated, or rewritten. */
  async rewritten(file: FollowedFile): Promise<void> {
    const { path, cursors, known: place } = file.account;
    const { log, metrics, events } = this.#surroundings;
    const { unread } = file;
    // At once, so that nobody else sees it too. The copy takes the cursors over, with what is in flight, and is read first.
    file.resting = true;
    await file.rewind();
    const copies = this.#files.byAge.filter(({ copyOf }) => copyOf === file);
    for (const copy of copies) copy.copyOf = undefined;
    const lost = copies.length > 0 || (await this.adopt(file, { path, cursors, place })) ? 0 : unread;
    file.resting = false;
    metrics.truncations.inc();
    events.publish('truncated', { path, lost });
    log.warn(errors.LOG_SHIPPER_FILE_TRUNCATED({ path, lost }));
    if (lost > 0) metrics.lost.inc({ reason: 'truncated' }, lost);
  }

  /** Finds the copy of what was left to read: what lies before the known place lies there too. Returns whether there is one. */
  async adopt(original: FollowedFile, { path, cursors, place }: Left): Promise<boolean> {
    if (place.offset === 0) return false;
    const found = (await Array.fromAsync(generations(path))).sort(byAge);
    const copies: FollowedFile[] = [];
    // The youngest first: those before the one that is found are later copies, of content that nobody has seen.
    for (const { path: name } of found.filter(({ key }) => !this.#files.has(key)).reverse()) {
      const copy = await this.#files.open(name, path).catch(() => undefined);
      if (!copy) continue;
      precede(copy, original);
      copies.push(copy);
      if (!(await copy.holds(place))) continue;
      for (const cursor of cursors.values()) cursor.seen = cursor.read.offset;
      copy.account.cursors = cursors;
      for (const each of copies.reverse()) await this.#files.add(each);
      return true;
    }
    for (const each of copies) await each[Symbol.asyncDispose]();
    return false;
  }
}

/** A copy holds what was written before what its original holds now. */
function precede(copy: FollowedFile, original: FollowedFile): void {
  copy.account.path = original.account.path;
  copy.account.rotated = true;
  copy.lineage = original.lineage;
  copy.age = original.age - 1;
}
