// Going on where an earlier run stopped, whatever happened to the files in between.

import { errors } from '../errors.ts';
import { Cursor, type Cursors, furthest, furthestBack, type Kept, keyOf } from '../ledger.ts';
import type { Copies } from './copies.ts';
import type { FollowedFile } from './followed-file.ts';
import type { FollowedFiles, Surroundings } from './followed-files.ts';
import type { Hold } from './hold.ts';
import type { Found } from './look.ts';
import type { Paths, Troubles } from './paths.ts';

type Options = Surroundings & {
  readonly files: FollowedFiles;
  readonly copies: Copies;
  readonly paths: Paths;
  readonly troubles: Troubles;
  readonly hold: Hold | undefined;
};

export class Resumption {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Follows again what an earlier run had followed, under its own or another name. What cannot be opened now stays kept. */
  resume(present: ReadonlyMap<string, readonly Found[]>): void {
    const { ledger, paths, log } = this.#options;
    for (const kept of [...ledger.kept.values()]) {
      if (paths.match(kept.path)) this.#resumeOne(kept, present);
      else {
        ledger.kept.delete(keyOf(kept));
        ledger.forget(kept.path);
        log.info('File is not asked for any more', { path: kept.path });
      }
    }
  }

  #resumeOne(kept: Kept, all: ReadonlyMap<string, readonly Found[]>): void {
    const { ledger, files, copies } = this.#options;
    const names = all.get(keyOf(kept)) ?? [];
    const present = names.find(({ path }) => path === kept.path) ?? names[0];
    let found: Pick<Found, 'path'> | undefined = present ?? this.#search(kept);
    const cursors = cursorsOf(kept, ledger.sinks);
    if (!found) {
      this.#gone(kept, cursors);
      return;
    }
    let file = this.#open(found.path, kept);
    if (file === 'another') {
      // Renamed this moment. It is to be followed before what has its name now.
      found = this.#search(kept) ?? found;
      file = this.#open(found.path, kept);
    }
    // Renamed again, or not to be opened: it stays kept, and the next look finds it.
    if (typeof file === 'string') return;
    file.account.rotated = found.path !== kept.path;
    if (kept.begun !== undefined) file.account.begun = BigInt(kept.begun);
    // An inode says nothing about time; a birth does, where there is one.
    const sameFile = file.account.born === 0n || String(file.account.born) === kept.born;
    const sameContent = sameFile && file.holds(kept.head) && holdsAll(file, cursors);
    // Only its inode names a file that was renamed, and it need not be one that we may ship: without a doubt, or not at all.
    const certain = sameFile && (present !== undefined || file.account.born > 0n);
    if (sameContent && (certain || furthestBack(cursors) > 0)) {
      file.account.cursors = cursors;
      file.account.rewinds = kept.rewinds ?? 0;
      file.account.inherited = kept.origin;
      file.account.target = kept.target;
      files.add(file);
      if (kept.head.offset === 0) copies.missed(file);
    } else if (certain) this.#startOver(file, kept, cursors);
    else {
      file[Symbol.dispose]();
      this.#gone(kept, cursors);
    }
  }

  #search(kept: Kept): Pick<Found, 'path'> | undefined {
    const key = keyOf(kept);
    return this.#options.files.listings.find(key, kept.path, kept.target) ?? this.#options.hold?.find(key, kept.path);
  }

  /** Opens it under a name that it had a moment ago. */
  #open(path: string, kept: Kept): FollowedFile | 'another' | 'trouble' {
    const { files, troubles } = this.#options;
    try {
      const file = files.open(path, kept.path);
      troubles.end(path);
      if (file.key === keyOf(kept)) return file;
      file[Symbol.dispose]();
      return 'another';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'another';
      troubles.add(path, error);
      return 'trouble';
    }
  }

  /** Truncated meanwhile, and written anew. */
  #startOver(file: FollowedFile, kept: Kept, cursors: Cursors): void {
    const { files, copies, ledger, log, metrics } = this.#options;
    const place = furthest(cursors);
    const left = { path: kept.path, cursors, place: place.offset > 0 ? place : kept.head };
    const before = { identity: kept, born: kept.born, rewinds: kept.rewinds ?? 0, inherited: kept.origin };
    file.account.rewinds = before.rewinds + 1;
    const origin = ledger.originOf(before);
    const copy = copies.adopt(file, left, origin);
    copies.missed(file);
    const lost = copy ? Math.max(0, kept.size - copy.account.size) : Math.max(0, kept.size - furthestBack(cursors));
    log.warn(errors.LOG_SHIPPER_FILE_TRUNCATED({ path: kept.path, lost }));
    metrics.truncations.inc();
    metrics.lost.inc({ reason: 'truncated' }, lost);
    files.add(file);
  }

  #gone(kept: Kept, cursors: Cursors): void {
    const { ledger, files } = this.#options;
    files.sayGone(kept.path, kept.size - furthestBack(cursors));
    ledger.kept.delete(keyOf(kept));
    ledger.changed();
  }
}

/** A sink that the earlier run did not have begins at the beginning. */
const cursorsOf = (kept: Kept, sinks: readonly string[]): Cursors =>
  new Map(sinks.map((sink) => [sink, new Cursor(kept.sinks[sink])]));

function holdsAll(file: FollowedFile, cursors: Cursors): boolean {
  for (const { acknowledged } of cursors.values()) if (!file.holds(acknowledged)) return false;
  return true;
}
