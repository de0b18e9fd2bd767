// copytruncate: the content is copied under a rotated name, then the original is cut to nothing. What nobody had read
// of the original is in the copy, which is therefore read on from the same place.

import { errors } from '../errors.ts';
import { type Cursors, isYounger, type Place } from '../ledger.ts';
import type { FollowedFile } from './followed-file.ts';
import { after, ageOf, type FollowedFiles, type Surroundings, type Wanting } from './followed-files.ts';
import { basesOf, byAge } from './generations.ts';
import { type Found, lookIfThere } from './look.ts';

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
    const others = this.#others(original, path, () => true);
    const found = others.findLast((each) => each.holds(place));
    // Those after it are later copies, of content that nobody has seen.
    const own = this.#find(original, path);
    const later = found ? this.#earlier(others.slice(others.indexOf(found) + 1), { original, own }) : [];
    const copies = found ? [found, ...later] : [];
    for (const each of others) if (!copies.includes(each)) each[Symbol.dispose]();
    if (!found) return undefined;
    for (const cursor of cursors.values()) cursor.seen = cursor.read.offset;
    found.account.cursors = cursors;
    for (const each of copies) {
      this.#precede(each, original);
      each.account.inherited = each === found ? origin : undefined;
      this.#files.add(each);
    }
    return found;
  }

  /**
   * Content of the file that came and went between two looks. What is left of it are copies that nobody has seen, of
   * something else than what it holds now.
   */
  missed(original: FollowedFile): void {
    const { path } = original.account;
    const { ledger } = this.#surroundings;
    const isNew = ledger.newUnder(path);
    const own = this.#find(original, path);
    if (!own) return;
    const others = this.#others(original, path, (file) => !ledger.kept.has(file.key) && isNew(file));
    const copies = new Set(this.#earlier(others, { original, own }));
    for (const each of others) {
      if (!copies.has(each)) {
        each[Symbol.dispose]();
        continue;
      }
      this.#precede(each, original);
      each.account.inherited = undefined;
      this.#files.add(each);
    }
  }

  /**
   * Of others, oldest first, those of what was there before what the original holds. That may have been copied, truncated and
   * followed by more while they were looked for: then the next look finds its copy, which comes before those of what followed.
   */
  #earlier(others: readonly FollowedFile[], { original, own }: { original: FollowedFile; own: Found | undefined }) {
    const { account } = original;
    // Seen empty: what has come since may be what is being copied.
    if (account.known.offset === 0) original.refresh();
    const { known } = account;
    const next = original.holds(known) ? -1 : others.findIndex((each) => each.holds(known));
    return others
      .slice(0, next === -1 ? others.length : next)
      .filter((each) => !isLater(each, own) && !this.#isOfNow(each, original));
  }

  /** Other generations that nobody follows, oldest first. */
  #others(original: FollowedFile, path: string, isWanted: Wanting['isWanted']): FollowedFile[] {
    return this.#files.generations(path, {
      isWanted: (file) => file.key !== original.key && !this.#files.has(file.key) && isWanted(file),
      open: (found) => this.#open(found.path, path),
    });
  }

  /** Under which name it is now. */
  #find({ key }: FollowedFile, path: string): Found | undefined {
    const found = lookIfThere(path);
    return found?.key === key ? found : this.#files.listings.find(key, path);
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

/** What was written to later than the original has followed it, if that is rotated too. */
const isLater = (file: FollowedFile, original: Found | undefined): boolean =>
  original !== undefined && original.path !== file.account.path && byAge(ageOf(file), original) > 0;
