// All files that are followed now, each once, whatever its names.

import type { Context, Parameters } from '@outrigger/core';
import { errors } from '../errors.ts';
import type { Account, Ledger } from '../ledger.ts';
import type { metrics } from '../metrics.ts';
import type { Bounds } from './bounds.ts';
import type { Wanted } from './encodings.ts';
import { FollowedFile } from './followed-file.ts';
import { byAge } from './generations.ts';
import { Handles } from './handles.ts';
import { Listings } from './listings.ts';
import type { Found } from './look.ts';

export type Surroundings = Pick<Context<Parameters, typeof metrics>, 'log' | 'metrics' | 'events'> & {
  readonly ledger: Ledger;
  readonly encoding?: Wanted;
  /** Where the files may lie; anywhere without. */
  readonly bounds?: Bounds;
};

/** Files that follow each other under one name, oldest first. */
export type Lineage = { readonly name: string; readonly files: FollowedFile[] };

const oldestFirst = ({ account: a }: FollowedFile, { account: b }: FollowedFile): number =>
  Number(b.rotated) - Number(a.rotated) || Number(a.begun - b.begun);

/** The time, or the next one that content may begin at. */
export const after = ({ begun }: Account, time: bigint): bigint => (time > begun ? time : begun + 1n);

/** By what byAge compares. */
export const ageOf = ({ account: { born, modified }, at: path }: FollowedFile) => ({ born, modified, path });

export type Wanting = {
  readonly isWanted: (file: Pick<Found, 'key' | 'identity' | 'born' | 'modified'>) => boolean;
  readonly open: (found: Found) => FollowedFile | undefined;
};

// Each is worth a line in the log; thousands at once are not.
const mostSaid = 100;

export class FollowedFiles implements Disposable {
  readonly handles: Handles;
  readonly listings: Listings;
  readonly #files = new Map<string, FollowedFile>();
  readonly #lineages = new Map<string, Lineage>();
  readonly #paths = new Map<string, FollowedFile[]>();
  readonly #surroundings: Surroundings;
  readonly #added: (file: FollowedFile) => void;
  #said = 0;

  constructor(surroundings: Surroundings, added: (file: FollowedFile) => void) {
    this.#surroundings = surroundings;
    const { bounds } = surroundings;
    this.handles = new Handles(bounds && ((name, path) => bounds.open(name, path)));
    this.listings = new Listings(this.handles);
    this.#added = added;
  }

  [Symbol.iterator](): Iterator<FollowedFile> {
    return this.#files.values();
  }

  get size(): number {
    return this.#files.size;
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  get lineages(): Iterable<Lineage> {
    return this.#lineages.values();
  }

  lineage(name: string): Lineage | undefined {
    return this.#lineages.get(name);
  }

  /** Those that are called so in records. */
  at(path: string): readonly FollowedFile[] {
    return this.#paths.get(path) ?? [];
  }

  /**
   * @param name where the file is now, @param path what it is called in records, @param lineage what else is read in order
   * with it.
   */
  open(name: string, path: string, lineage = path): FollowedFile {
    const { handles, listings } = this;
    const { ledger, encoding = 'auto' } = this.#surroundings;
    return FollowedFile.open(name, { path, lineage, ledger, encoding, handles, listings });
  }

  /**
   * Opens what is wanted of the files under rotated names, oldest first. One that is renamed meanwhile is met again under its
   * next name. @param at the name without rotation.
   */
  generations(at: string, { isWanted, open }: Wanting): FollowedFile[] {
    const opened = new Map<string, FollowedFile>();
    for (const found of this.listings.generations(at)) {
      const file = isWanted(found) ? open(found) : undefined;
      if (!file) continue;
      // The name may have passed to another file in between; the one that was seen comes again further on.
      if (isWanted({ ...file.account, key: file.key }) && !opened.has(file.key)) opened.set(file.key, file);
      else file[Symbol.dispose]();
    }
    return [...opened.values()].sort((a, b) => byAge(ageOf(a), ageOf(b)));
  }

  /** What it holds was written after all that its lineage holds, though a tick of the clock may not tell them apart. */
  succeed({ account, lineage }: FollowedFile): void {
    for (const { account: older } of this.lineage(lineage)?.files ?? [])
      if (older !== account && (older.rotated || !account.rotated)) account.begun = after(older, account.begun);
  }

  /** Returns whether it is new: a name may have come to mean another file between the look and the opening. */
  add(file: FollowedFile): boolean {
    if (this.#files.has(file.key)) {
      file[Symbol.dispose]();
      return false;
    }
    const { ledger, metrics, log } = this.#surroundings;
    const { path, acknowledged: from } = file.account;
    this.#files.set(file.key, file);
    this.#lineageOf(file).files.push(file);
    this.#lineageOf(file).files.sort(oldestFirst);
    this.#paths.set(path, [...this.at(path), file]);
    ledger.add(file.account);
    metrics.files.set(this.#files.size);
    const say = this.#said++ < mostSaid ? 'info' : 'debug';
    log[say]('Following file', { path, ...(file.name !== path && { name: file.name }), from });
    this.#added(file);
    return true;
  }

  #lineageOf({ lineage: name }: FollowedFile): Lineage {
    const known = this.#lineages.get(name);
    if (known) return known;
    const made = { name, files: [] };
    this.#lineages.set(name, made);
    return made;
  }

  /** Says how many were not said one by one since the last time. */
  sayRest(): void {
    if (this.#said > mostSaid)
      this.#surroundings.log.info('Following files', { count: this.#files.size, unsaid: this.#said - mostSaid });
    this.#said = 0;
  }

  remove(file: FollowedFile): void {
    const { ledger, metrics, log } = this.#surroundings;
    const { path } = file.account;
    this.#files.delete(file.key);
    const { files } = this.#lineageOf(file);
    files.splice(files.indexOf(file), 1);
    if (files.length === 0) this.#lineages.delete(file.lineage);
    const rest = this.at(path).filter((each) => each !== file);
    if (rest.length > 0) this.#paths.set(path, rest);
    else this.#paths.delete(path);
    ledger.remove(file.account);
    metrics.files.set(this.#files.size);
    log[this.#said++ < mostSaid ? 'info' : 'debug']('File finished', { path, bytes: file.account.size });
    file[Symbol.dispose]();
  }

  /** Bytes that were to be read are not there any more. */
  sayGone(path: string, lost: number): void {
    if (lost <= 0) return;
    this.#surroundings.log.warn(errors.LOG_SHIPPER_FILE_GONE({ path, lost }));
    this.#surroundings.metrics.lost.inc({ reason: 'removed' }, lost);
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file[Symbol.dispose]();
  }
}
