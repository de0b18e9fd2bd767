// All files that are followed now, each once, whatever its names.

import type { Context, Parameters } from '@outrigger/core';
import type { Ledger } from '../ledger.ts';
import type { metrics } from '../metrics.ts';
import { FollowedFile } from './followed-file.ts';
import { byName } from './generations.ts';

export type Surroundings = Pick<Context<Parameters, typeof metrics>, 'log' | 'metrics' | 'events'> & {
  readonly ledger: Ledger;
};

export class FollowedFiles implements AsyncDisposable {
  readonly #files = new Map<string, FollowedFile>();
  readonly #surroundings: Surroundings;
  #byAge: FollowedFile[] | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  /** Oldest first. */
  get byAge(): readonly FollowedFile[] {
    // Ticks of the clock are coarse, so names decide between files of one tick.
    this.#byAge ??= [...this.#files.values()].sort((a, b) => a.age - b.age || byName(a.name, b.name));
    return this.#byAge;
  }

  /**
   * @param name where the file is now, @param path what it is called in records, @param lineage what else is read in order
   * with it.
   */
  open(name: string, path: string, lineage = path): Promise<FollowedFile> {
    return FollowedFile.open(name, { path, lineage, ledger: this.#surroundings.ledger });
  }

  /** Returns whether it is new: a name may have come to mean another file between the look and the opening. */
  async add(file: FollowedFile): Promise<boolean> {
    if (this.#files.has(file.key)) {
      await file[Symbol.asyncDispose]();
      return false;
    }
    const { ledger, metrics, log } = this.#surroundings;
    const { path, acknowledged: from } = file.account;
    this.#files.set(file.key, file);
    this.#byAge = undefined;
    ledger.add(file.account);
    metrics.files.set(this.#files.size);
    log.info('Following file', { path, ...(file.name !== path && { name: file.name }), from });
    return true;
  }

  async remove(file: FollowedFile): Promise<void> {
    const { ledger, metrics, log } = this.#surroundings;
    this.#files.delete(file.key);
    this.#byAge = undefined;
    ledger.remove(file.account);
    metrics.files.set(this.#files.size);
    log.info('File finished', { path: file.account.path, bytes: file.account.size });
    await file[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) await file[Symbol.asyncDispose]();
  }
}
