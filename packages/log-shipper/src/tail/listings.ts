// Finding a file again, or for the first time, under the name that rotation gave it. A directory is listed again when it
// has changed, not for each of the thousands of files in it.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { basesOf, numberOf } from './generations.ts';
import type { Handles } from './handles.ts';
import { type Found, lookIfThere } from './look.ts';

// Times of files tick coarsely: a directory that was changed just before it was listed may have changed since in the same tick.
const tick = 50;

// Enough for what one look goes through; the rest is listed anew when somebody asks.
const mostListings = 64;

class Listing {
  readonly modified: bigint;
  /** When the directory was first seen with that time, on the monotonic clock: the time itself may be another machine's. */
  readonly since: number;
  /** Whether the directory's time of change would tell a change since. */
  readonly settled: boolean;
  readonly #directory: string;
  readonly #names: readonly string[];
  #generations: Map<string, string[]> | undefined;
  #files: Map<string, string> | undefined;

  constructor(directory: string, modified: bigint, since: number) {
    this.#directory = directory;
    this.modified = modified;
    this.since = since;
    this.settled = performance.now() - since > tick;
    this.#names = readdirSync(directory);
  }

  /** Paths under rotated names of a path. */
  generations(path: string): readonly string[] {
    this.#generations ??= this.#group();
    return this.#generations.get(basename(path)) ?? [];
  }

  #group(): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const name of this.#names) {
      for (const base of basesOf(name)) {
        const group = groups.get(base);
        if (group) group.push(join(this.#directory, name));
        else groups.set(base, [join(this.#directory, name)]);
      }
    }
    return groups;
  }

  /** Where a file is, by its identity, under whatever name. */
  find(key: string): string | undefined {
    if (!this.#files) {
      this.#files = new Map();
      for (const name of this.#names) {
        const found = lookIfThere(join(this.#directory, name));
        if (found) this.#files.set(found.key, found.path);
      }
    }
    return this.#files.get(key);
  }
}

export class Listings {
  readonly #listings = new Map<string, Listing>();
  readonly #handles: Handles;

  /** @param handles of the process: listing takes one for a moment. */
  constructor(handles: Handles) {
    this.#handles = handles;
  }

  /**
   * The files under rotated names of a path, in the order in which rotation passes them on, app.log.1 before app.log.2:
   * whatever is renamed meanwhile is met again further on, so that no file slips through.
   */
  *generations(path: string): Generator<Found> {
    for (const name of this.#generations(path)) if (numberOf(name, path) === 0) yield* lookAt(name);
    let next = 1;
    // A listing may miss a name that is given while it is made, hence two that agree on the end.
    for (let ends = 0; ends < 2; ) {
      let last = 0;
      for (const name of this.#generations(path)) last = Math.max(last, numberOf(name, path));
      ends = last < next ? ends + 1 : 0;
      for (; next <= last; next++) yield* lookAt(`${path}.${next}`);
    }
  }

  /** A file beside one of these paths, by its identity: under a rotated name, or any other. */
  find(key: string, ...paths: readonly (string | undefined)[]): Found | undefined {
    for (const path of paths) {
      const found = path === undefined ? undefined : this.#find(path, key);
      if (found) return found;
    }
    return undefined;
  }

  #find(path: string, key: string): Found | undefined {
    for (const found of this.generations(path)) if (found.key === key) return found;
    const name = this.#beside(path)?.find(key);
    const found = name === undefined ? undefined : lookIfThere(name);
    return found?.key === key ? found : undefined;
  }

  #generations(path: string): readonly string[] {
    return this.#beside(path)?.generations(path) ?? [];
  }

  /** What is in the directory of a path, undefined when that cannot be said. */
  #beside(path: string): Listing | undefined {
    const directory = dirname(path);
    try {
      const { mtimeNs } = statSync(directory, { bigint: true });
      const known = this.#listings.get(directory);
      const isSame = known?.modified === mtimeNs;
      if (isSame && known.settled) return known;
      if (this.#listings.size >= mostListings) this.#listings.clear();
      const since = isSame ? known.since : performance.now();
      const listing = this.#handles.withRoom(() => new Listing(directory, mtimeNs, since));
      this.#listings.set(directory, listing);
      return listing;
    } catch {
      // Not there, or not to be listed: then there is nothing to be found beside it.
      this.#listings.delete(directory);
      return undefined;
    }
  }
}

function* lookAt(name: string): Generator<Found> {
  const found = lookIfThere(name);
  if (found) yield found;
}
