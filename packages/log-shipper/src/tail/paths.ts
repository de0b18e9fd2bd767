// From path patterns to the files that are there now.

import { glob, stat } from 'node:fs/promises';
import { basename, dirname, matchesGlob, resolve } from 'node:path';
import { type Context, reasonOf } from '@outrigger/core';
import { stateName } from '../checkpoint.ts';
import { errors } from '../errors.ts';
import { type Generation, type Identity, keyOf } from '../ledger.ts';
import { lockName } from '../lock.ts';
import type { Trouble } from '../source/source.ts';

/** A file at a name. */
export type Found = Generation & { readonly path: string; readonly identity: Identity; readonly key: string };

// What a line is in there, only a decompressor could say.
const compressed = /\.(gz|bz2|xz|zst|lz4|zip|Z)$/;
const magic = /[*?[\]{}]/;

/** What is at a path, undefined when there is nothing. Throws when it cannot be said, and for what is no file. */
export async function look(path: string): Promise<Found | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) throw new Error('not a regular file');
    const identity = { device: String(found.dev), inode: String(found.ino) };
    return { path, identity, key: keyOf(identity), modified: found.mtimeNs, born: found.birthtimeNs };
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

const absent = new Set<string | undefined>(['ENOENT', 'ENOTDIR']);

export class Paths {
  readonly #plain: string[];
  readonly #globs: string[];
  readonly #stateDirectory: string;
  readonly #troubles: Troubles;
  #globbed: string[] = [];
  #globbedAt = Number.NEGATIVE_INFINITY;

  constructor(
    patterns: readonly string[],
    { stateDirectory, troubles }: { stateDirectory: string; troubles: Troubles },
  ) {
    const whole = patterns.map((pattern) => resolve(pattern));
    this.#plain = whole.filter((pattern) => !magic.test(pattern));
    this.#globs = whole.filter((pattern) => magic.test(pattern));
    this.#stateDirectory = resolve(stateDirectory);
    this.#troubles = troubles;
  }

  /** Those that are asked for by name, whether they exist or not. */
  get names(): readonly string[] {
    return this.#plain;
  }

  /** Whether a file of that path would be followed. */
  match(path: string): boolean {
    return this.#plain.includes(path) || this.#globs.some((pattern) => matchesGlob(path, pattern));
  }

  /** @param every how long names that a glob found are good for, in milliseconds: walking directories costs more than looking at files. */
  async look(every: number): Promise<Found[]> {
    if (this.#globs.length > 0 && performance.now() - this.#globbedAt >= every) {
      this.#globbed = await this.#glob();
      this.#globbedAt = performance.now();
    }
    const found = await Promise.all([...this.#plain, ...this.#globbed].map((path) => this.#lookAt(path)));
    return found.filter((each) => each !== undefined);
  }

  async #glob(): Promise<string[]> {
    const names = await Array.fromAsync(glob(this.#globs)).catch((error) => {
      this.#troubles.add(this.#globs.join(', '), error);
      return [];
    });
    return names.map((name) => resolve(name)).filter((path) => !compressed.test(path) && !this.#isOurs(path));
  }

  #isOurs(path: string): boolean {
    const name = basename(path);
    return dirname(path) === this.#stateDirectory && (name.startsWith(stateName) || name.startsWith(lockName));
  }

  async #lookAt(path: string): Promise<Found | undefined> {
    try {
      const found = await look(path);
      if (!found) this.#troubles.forget(path);
      return found;
    } catch (error) {
      // A directory that a wildcard matches is nobody's mistake.
      if ('code' in (error as Error) || this.#plain.includes(path)) this.#troubles.add(path, error);
      return undefined;
    }
  }
}

/** Files that cannot be read at present: each is reported once, and again when it can be. */
export class Troubles {
  readonly #reasons = new Map<string, string>();
  readonly #log: Context<Record<never, never>>['log'];

  constructor(log: Context<Record<never, never>>['log']) {
    this.#log = log;
  }

  add(path: string, error: unknown): void {
    const reason = reasonOf(error);
    if (this.#reasons.get(path) === reason) return;
    this.#reasons.set(path, reason);
    this.#log.warn(errors.LOG_SHIPPER_FILE_UNREADABLE({ path, reason }));
  }

  end(path: string): void {
    if (this.#reasons.delete(path)) this.#log.info('File can be read again', { path });
  }

  /** It is not there any more. */
  forget(path: string): void {
    this.#reasons.delete(path);
  }

  get list(): Trouble[] {
    return [...this.#reasons].map(([path, reason]) => ({ path, reason }));
  }
}
