// From path patterns to the files that are there now.

import { lstatSync, statSync } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import { dirname, matchesGlob, resolve } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { type Context, Fault, reasonOf } from '@outrigger/core';
import { errors } from '../errors.ts';
import type { Trouble } from '../source/source.ts';
import type { LinkRule } from './bounds.ts';
import { DirectoryError, type Found, look } from './look.ts';
import type { OwnFiles } from './own-files.ts';
import { worked } from './pace.ts';
import { realPath } from './real-path.ts';

// What a line is in there, only a decompressor could say.
const compressed = /\.(gz|bz2|xz|zst|lz4|zip|Z)$/;
const magic = /[*?[\]{}]/;

// Looking costs some microseconds each, a sixth of what it costs to have another thread look; after so many of them,
// everybody else has a turn.
const atOnce = 256;

// Of the time that walking directories takes, so many times as much is spent otherwise.
const restAfterWalk = 50;

/** Lets others have a turn, now and then. */
export const breather = (every = atOnce): (() => Promise<void> | undefined) => {
  let count = 0;
  return () => (++count % every === 0 ? immediate() : undefined);
};

export type PathsOptions = {
  readonly own: OwnFiles;
  readonly troubles: Troubles;
  /** Where files are kept from being removed: no source either. */
  readonly hold?: string | undefined;
  /** Patterns of what is not followed, whatever else matches it. */
  readonly exclude?: readonly string[];
  readonly links?: LinkRule;
};

export class Paths {
  /** What is asked for, though this process writes it. */
  readonly leftOut: ReadonlySet<string>;
  readonly #plain: ReadonlySet<string>;
  readonly #globs: readonly string[];
  readonly #exclude: readonly string[];
  readonly #own: OwnFiles;
  readonly #hold: string | undefined;
  readonly #troubles: Troubles;
  readonly #status: typeof statSync;
  #globbed: ReadonlySet<string> = new Set();
  #globbedAt = Number.NEGATIVE_INFINITY;
  #rest = 0;
  #devices = new Map<string, string>();

  constructor(patterns: readonly string[], { own, troubles, hold, exclude = [], links }: PathsOptions) {
    this.#status = links === 'none' ? (lstatSync as typeof statSync) : statSync;
    this.#hold = hold && resolve(hold);
    this.#own = own;
    const whole = patterns.map((pattern) => resolve(pattern));
    this.#exclude = exclude.map((pattern) => resolve(pattern));
    const plain = whole.filter((pattern) => !magic.test(pattern) && !this.#isExcluded(pattern));
    this.#plain = new Set(plain.filter((path) => !own.has(path)));
    this.#globs = whole.filter((pattern) => magic.test(pattern));
    const caught = own.written.filter((path) => this.#isCaught(path) && !this.#isExcluded(path));
    this.leftOut = new Set([...plain.filter((path) => own.has(path)), ...caught]);
    this.#troubles = troubles;
  }

  /** Those that are asked for by name, whether they exist or not. */
  get names(): ReadonlySet<string> {
    return this.#plain;
  }

  /** Where files may appear, as far as that can be said without walking. */
  get directories(): Set<string> {
    const directories = [...this.#plain, ...this.#globbed].map((path) => dirname(path));
    for (const pattern of this.#globs) {
      const directory = dirname(pattern);
      if (!magic.test(directory)) directories.push(directory);
    }
    return new Set(directories);
  }

  /** Whether a file of that path would be followed. */
  match(path: string): boolean {
    return this.#plain.has(path) || (this.#isCaught(path) && this.#isWanted(path));
  }

  #isCaught(path: string): boolean {
    return this.#globs.some((pattern) => matchesGlob(path, pattern));
  }

  #isWanted(path: string): boolean {
    return !compressed.test(path) && !this.#isOurs(path) && !this.#isExcluded(path);
  }

  #isExcluded(path: string): boolean {
    return this.#exclude.some((pattern) => matchesGlob(path, pattern));
  }

  /** @param every how long names that a glob found are good for, in milliseconds: walking directories costs more than looking at files. */
  async look(every: number): Promise<Found[]> {
    const begun = performance.now();
    if (this.#globs.length > 0 && (every === 0 || begun - this.#globbedAt >= Math.max(every, this.#rest))) {
      const before = worked();
      this.#globbed = await this.#glob();
      this.#globbedAt = performance.now();
      this.#rest = restAfterWalk * (worked() - before);
    }
    await this.#probe();
    this.#troubles.reconsider();
    const found: Found[] = [];
    const breathe = breather();
    for (const path of new Set([...this.#plain, ...this.#globbed])) {
      const each = this.#lookAt(path);
      if (each) {
        found.push(each);
        this.#devices.set(each.identity.device, path);
      }
      await breathe();
    }
    return found;
  }

  /** A server that does not answer holds up whoever looks: that is a thread of its own, and never all of the process. */
  async #probe(): Promise<void> {
    const devices = this.#devices;
    this.#devices = new Map();
    // What came of it is found out by the look itself.
    await Promise.allSettled([...devices.values()].map((path) => stat(path)));
  }

  async #glob(): Promise<ReadonlySet<string>> {
    const known = this.#globbed;
    const names = await Array.fromAsync(glob(this.#globs)).catch((error) => {
      this.#troubles.add(this.#globs.join(', '), error);
      return [];
    });
    // Patterns are slow to compare: what was wanted a second ago still is.
    return new Set(names.map((name) => resolve(name)).filter((path) => known.has(path) || this.#isWanted(path)));
  }

  #isOurs(path: string): boolean {
    return (this.#hold !== undefined && dirname(path) === this.#hold) || this.#own.has(path);
  }

  #lookAt(path: string): Found | undefined {
    try {
      const found = look(path, this.#status);
      if (!found) this.#troubles.forget(path);
      return found;
    } catch (error) {
      // A directory that a wildcard matches is nobody's mistake.
      if (!(error instanceof DirectoryError) || this.#plain.has(path)) this.#troubles.add(path, error);
      return undefined;
    }
  }
}

/** A name that may not be followed, and where it led to when that was said. */
type Refused = { readonly reason: string; readonly real: string | undefined };

/** Files that cannot be read at present: each is reported once, and again when it can be. */
export class Troubles {
  readonly #reasons = new Map<string, string>();
  // Apart: an older file of the same path may well be read meanwhile.
  readonly #refused = new Map<string, Refused>();
  readonly #log: Context<Record<never, never>>['log'];

  constructor(log: Context<Record<never, never>>['log']) {
    this.#log = log;
  }

  add(path: string, error: unknown): void {
    if (error instanceof Fault) {
      this.#refuse(String(error.fields.path), error);
      return;
    }
    const reason = reasonOf(error);
    if (this.#reasons.get(path) === reason) return;
    this.#reasons.set(path, reason);
    this.#log.warn(errors.LOG_SHIPPER_FILE_UNREADABLE({ path, reason }));
  }

  #refuse(name: string, fault: Fault): void {
    if (this.#refused.get(name)?.reason === fault.message) return;
    this.#refused.set(name, { reason: fault.message, real: realPath(name) });
    this.#log.warn(fault);
  }

  /** What leads elsewhere by now, or nowhere, is refused anew or not at all. */
  reconsider(): void {
    for (const [name, { real }] of this.#refused) if (realPath(name) !== real) this.#refused.delete(name);
  }

  end(path: string): void {
    if (this.#reasons.delete(path)) this.#log.info('File can be read again', { path });
  }

  /** It is not there any more. */
  forget(path: string): void {
    this.#reasons.delete(path);
  }

  get list(): Trouble[] {
    const refused = [...this.#refused].map(([path, { reason }]) => [path, reason] as const);
    return [...this.#reasons, ...refused].map(([path, reason]) => ({ path, reason }));
  }
}
