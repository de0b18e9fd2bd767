// copytruncate: the content is copied under a rotated name, then the original is cut to nothing. What nobody had read
// of the original is in the copy, which is therefore read on from the same place.

import { errors } from '../errors.ts';
import { type Cursors, isYounger, type Place } from '../ledger.ts';
import type { FollowedFile } from './followed-file.ts';
import { after, type FollowedFiles, type Surroundings } from './followed-files.ts';
import { basesOf, byAge } from './generations.ts';
import { lookIfThere } from './look.ts';

export type Left = { readonly path: string; readonly cursors: Cursors; readonly place: Place };

export class Copies {
  readonly #files: FollowedFiles;
  readonly #surroundings: Surroundings;

  constructor(files: FollowedFiles, surroundings: Surroundings) {
    this.#files = files;
    this.#surroundings = surroundings;
  }

  /**
   * Whether a file that has appeared holds what another one still holds itself. It is left alone until that is truncated:
   * what is in flight by then would be read twice.
   */
  isOfNow(file: FollowedFile): boolean {
    for (const base of basesOf(file.name))
      for (const original of this.#files.at(base)) {
        const { account } = original;
        if (!account.rotated && isYounger(file.account, account) && this.#isOfNow(file, original)) return true;
      }
    return false;
  }

  /** The next copy is made already: it holds what the original still holds itself. */
  #isOfNow(copy: FollowedFile, original: FollowedFile): boolean {
    const { known } = original.account;
    return (known.offset > 0 && copy.holds(known)) || this.#grows(copy, original);
  }

  /** All that is there of it so far is how the original begins: whether it is still being made or not, it is no news. */
  #grows(file: FollowedFile, original: FollowedFile): boolean {
    return file.account.size < original.account.known.offset && original.holds(file.end);
  }

  /** What lies before a known place is not what it was: truncated, or rewritten. */
  rewritten(file: FollowedFile): void {
    const { path, cursors, known: place } = file.account;
    const { log, metrics, events, ledger } = this.#surroundings;
    const { unread, seen } = file;
    const origin = ledger.originOf(file.account);
    // The copy takes the cursors over, with what is in flight, and is read first.
    file.rewind();
    const copy = this.adopt(file, { path, cursors, place }, origin);
    this.missed(file);
    // What was written after the copy was made, and before the original was cut, is in neither.
    const lost = copy ? Math.max(0, seen - copy.account.size) : unread;
    metrics.truncations.inc();
    events.publish('truncated', { path, lost });
    log.warn(errors.LOG_SHIPPER_FILE_TRUNCATED({ path, lost }));
    if (lost > 0) metrics.lost.inc({ reason: 'truncated' }, lost);
  }

  /**
   * Finds the copy of what was left to read: what lies before the known place lies there too. Undefined when there is
   * none. @param origin of the content.
   */
  adopt(original: FollowedFile, { path, cursors, place }: Left, origin: string): FollowedFile | undefined {
    if (place.offset === 0) return undefined;
    const found = [...this.#files.listings.generations(path)].sort(byAge).reverse();
    const copies: FollowedFile[] = [];
    // What was written to later than the original has followed it, and is rotated too.
    let isLater = found.some(({ key }) => key === original.key);
    // The youngest first: those before the one that is found are later copies, of content that nobody has seen.
    for (const { path: name, key } of found) {
      if (key === original.key) isLater = false;
      if (this.#files.has(key) || key === original.key) continue;
      const copy = this.#open(name, path);
      if (!copy) continue;
      const isWanted = copy.holds(place);
      if (!isWanted && (isLater || this.#isOfNow(copy, original))) {
        copy[Symbol.dispose]();
        continue;
      }
      copies.unshift(copy);
      if (!isWanted) continue;
      for (const cursor of cursors.values()) cursor.seen = cursor.read.offset;
      copy.account.cursors = cursors;
      for (const each of copies) {
        this.#precede(each, original);
        each.account.inherited = each === copy ? origin : undefined;
        this.#files.add(each);
      }
      return copy;
    }
    for (const each of copies) each[Symbol.dispose]();
    return undefined;
  }

  /**
   * Content of the file that came and went between two looks. What is left of it are copies that nobody has seen, of
   * something else than what it holds now.
   */
  missed(original: FollowedFile): void {
    const { path } = original.account;
    const { ledger } = this.#surroundings;
    const isNew = ledger.newUnder(path);
    const found = [...this.#files.listings.generations(path)].sort(byAge);
    const own = found.findIndex(({ key }) => key === original.key);
    if (own < 0 && lookIfThere(path)?.key !== original.key) return;
    // What was written to later than the original has followed it, and is rotated too.
    const older = own < 0 ? found : found.slice(0, own);
    for (const { path: name, key } of older.filter((each) => isNew(each))) {
      if (this.#files.has(key) || ledger.kept.has(key)) continue;
      const copy = this.#open(name, path);
      if (copy && copy.key === key && !this.#isOfNow(copy, original)) {
        this.#precede(copy, original);
        copy.account.inherited = undefined;
        this.#files.add(copy);
      } else copy?.[Symbol.dispose]();
    }
  }

  /** One that cannot be opened is no copy that anybody could read. */
  #open(name: string, path: string): FollowedFile | undefined {
    try {
      return this.#files.open(name, path);
    } catch (error) {
      this.#surroundings.log.debug('Generation cannot be opened', { name, reason: (error as Error).message });
      return undefined;
    }
  }

  /** A copy holds what was written before what its original holds now. */
  #precede(copy: FollowedFile, original: FollowedFile): void {
    copy.account.path = original.account.path;
    copy.account.rotated = true;
    copy.account.inherited = this.#surroundings.ledger.originOf(original.account);
    copy.lineage = original.lineage;
    // What the original holds from now on is written after the copy was made.
    const made = copy.account.begun;
    copy.account.begun = original.account.begun;
    original.account.begun = after(copy.account, made);
  }
}
