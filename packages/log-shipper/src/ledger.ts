// Who has come how far: for every followed file and every sink, what was read and what was acknowledged.

import { hash, randomUUID } from 'node:crypto';
import type { Positions } from './checkpoint.ts';
import type { DropReason } from './records.ts';
import type { Spool } from './spool/spool.ts';

/** A position, and a fingerprint of the bytes around what lies before it: the same offset in another file is not it. */
export type Place = { readonly offset: number; readonly print: string };

export const beginning: Place = { offset: 0, print: '' };

/** What tells one file from another on this machine, whatever its name. */
export type Identity = { readonly device: string; readonly inode: string };

export const keyOf = ({ device, inode }: Identity): string => `${device}:${inode}`;

/** What became of bytes, besides those that are still to be delivered. */
export type Settled = {
  readonly delivered: number;
  /** Refused by the receiver for good. */
  readonly dead: number;
  readonly dropped: Partial<Readonly<Record<DropReason, number>>>;
};

/** How far one sink has come in one file. */
export class Cursor {
  read: Place;
  acknowledged: Place;
  /** Up to here there is nothing new to frame: the unfinished line at the end has been looked at. */
  seen: number;
  delivered: number;
  dead: number;
  readonly dropped: Partial<Record<DropReason, number>>;
  /** For which reasons what is left has been offered since the file grew last; see `Reason`. */
  offered = 0;

  /** @param from where it had come to; what is not said to have become of what lies before was delivered. */
  constructor(from: Place & Partial<Settled> = beginning) {
    const { offset, print, dead = 0, dropped = {} } = from;
    this.read = { offset, print };
    this.acknowledged = this.read;
    this.seen = offset;
    this.delivered = from.delivered ?? offset;
    this.dead = dead;
    this.dropped = { ...dropped };
  }

  settle({ delivered, dead, dropped }: Settled): void {
    this.delivered += delivered;
    this.dead += dead;
    for (const [reason, bytes] of Object.entries(dropped) as [DropReason, number][])
      this.dropped[reason] = (this.dropped[reason] ?? 0) + bytes;
  }

  /** Bytes before the acknowledged place that were no line: holes, and marks of an encoding. */
  get skipped(): number {
    const dropped = Object.values(this.dropped).reduce((sum, bytes) => sum + bytes, 0);
    return this.acknowledged.offset - this.delivered - this.dead - dropped;
  }

  /** Read and not yet acknowledged. */
  get buffered(): number {
    return this.read.offset - this.acknowledged.offset;
  }

  /** As it is written down. */
  get position(): Place & Settled {
    const { acknowledged, delivered, dead, dropped } = this;
    return { ...acknowledged, delivered, dead, dropped };
  }
}

/** The positions of all sinks in one file. */
export type Cursors = Map<string, Cursor>;

/** What every sink has acknowledged. */
export const furthestBack = (cursors: Cursors): number =>
  Math.min(...[...cursors.values()].map(({ acknowledged }) => acknowledged.offset));

/** What any sink has read. */
export const furthest = (cursors: Cursors): Place =>
  [...cursors.values()].map(({ read }) => read).reduce((a, b) => (b.offset > a.offset ? b : a));

/** One followed file. */
export class Account {
  /** Where it was found; keeps naming it after it was rotated away. */
  path: string;
  readonly identity: Identity;
  /** Where it really was, when it was found behind a symbolic link. */
  target: string | undefined;
  /** When the file was made, in nanoseconds; 0 where the file system does not say. */
  readonly born: bigint;
  modified: bigint;
  /** Orders contents that followed each other under one name: as a rule when the file was made that holds it. */
  begun: bigint;
  size = 0;
  /** It is no longer where it was found. */
  rotated = false;
  /** A place near the beginning, by which content is known of which nothing has been read yet. */
  head = beginning;
  cursors: Cursors = new Map();
  /** How many times its content began anew since it was first followed. */
  rewinds = 0;
  /** Of a copy: the origin of what it is a copy of, since its content is the same. */
  inherited: string | undefined;

  constructor(file: { path: string; identity: Identity; born: bigint; modified: bigint }) {
    this.path = file.path;
    this.identity = file.identity;
    this.born = file.born;
    this.modified = file.modified;
    this.begun = file.born || file.modified;
  }

  /** What every sink has acknowledged. */
  get acknowledged(): number {
    return furthestBack(this.cursors);
  }

  /** A place that the content has reached: where the fastest sink is, or near the beginning. */
  get known(): Place {
    const place = furthest(this.cursors);
    return place.offset > 0 ? place : this.head;
  }
}

/** A file that an earlier run had followed. */
export type Kept = Positions['files'][number];

/** When a file was made and written to last, in nanoseconds. */
export type Generation = { readonly born: bigint; readonly modified: bigint };

/** Whether a file was made after another. Where the file system keeps no time of birth, the last change has to do. */
export const isYounger = (file: Generation, than: Generation): boolean =>
  file.born > 0n && than.born > 0n ? file.born >= than.born : file.modified >= than.modified;

type Content = Pick<Account, 'identity' | 'rewinds' | 'inherited'> & { readonly born: bigint | string };

type Youngest = Generation & { readonly identity: Identity };

export class Ledger {
  readonly sinks: readonly string[];
  /** Random, made once: tells the files of this shipper from those of all others. */
  readonly instance: string;
  /** What is pushed to us lies there, once it is open. */
  queue: Pick<Spool, 'positions' | 'account'> | undefined;
  readonly keptQueue: Positions['queue'];
  /** What this run has not found again yet: written with every checkpoint until it is. */
  readonly kept: Map<string, Kept>;
  /** The youngest file that was followed under each path: what is younger has not been seen. */
  readonly youngest: Map<string, Youngest>;
  /** Since when this state directory is in use: what was rotated before is none of our business. */
  readonly #since: bigint;
  readonly #accounts = new Set<Account>();
  #revision = 0;
  #listener: (() => void) | undefined;

  constructor(sinks: readonly string[], { since, files, youngest, instance, queue }: Positions) {
    this.sinks = sinks;
    this.keptQueue = queue;
    this.instance = instance ?? randomUUID();
    this.#since = BigInt(since);
    this.kept = new Map(files.map((file) => [keyOf(file), file]));
    this.youngest = new Map(
      youngest.map(({ path, born, modified, ...identity }) => [
        path,
        { identity, born: BigInt(born), modified: BigInt(modified) },
      ]),
    );
  }

  /** Goes up with every change that the next start must know. */
  get revision(): number {
    return this.#revision;
  }

  get accounts(): Iterable<Account> {
    return this.#accounts;
  }

  /** One listener: whoever keeps it. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  changed(): void {
    this.#revision++;
    this.#listener?.();
  }

  /** What was kept of that file is superseded. */
  add(account: Account): void {
    this.#accounts.add(account);
    this.kept.delete(keyOf(account.identity));
    const { path, identity, born, modified } = account;
    const before = this.youngest.get(path);
    if (!before || isYounger(account, before)) this.youngest.set(path, { identity, born, modified });
    this.changed();
  }

  remove(account: Account): void {
    this.#accounts.delete(account);
    this.changed();
  }

  /**
   * Tells files under a path that nobody has followed yet from those that were followed and those from before this state
   * directory was in use. As of now: following one must not make an older one pass for followed.
   */
  newUnder(path: string): (file: Generation & { readonly identity: Identity }) => boolean {
    const youngest = this.youngest.get(path);
    if (!youngest) return (file) => isYounger(file, { born: this.#since, modified: this.#since });
    return (file) => isYounger(file, youngest) && keyOf(file.identity) !== keyOf(youngest.identity);
  }

  /** A file that cannot be followed now and must not be forgotten. */
  owe(path: string, { identity, ...file }: Generation & { readonly identity: Identity }): void {
    this.kept.set(keyOf(identity), { path, ...identity, ...written(file), size: 0, head: beginning, sinks: {} });
    this.changed();
  }

  /** There is no file of that path any more, under whatever name: a later one begins its own history. */
  forget(path: string): void {
    for (const account of this.#accounts) if (account.path === path) return;
    for (const kept of this.kept.values()) if (kept.path === path) return;
    this.youngest.delete(path);
    this.changed();
  }

  /** Of the content of a file: the same after every restart and under every name, another when the content begins anew. */
  originOf({ identity, born, rewinds, inherited }: Content): string {
    return (
      inherited ?? hash('sha256', `${this.instance} ${keyOf(identity)} ${born} ${rewinds}`, 'base64url').slice(0, 16)
    );
  }

  acknowledge(cursor: Cursor, place: Place, settled: Settled): void {
    cursor.acknowledged = place;
    cursor.settle(settled);
    this.changed();
  }

  /** How far a sink has come in each file. */
  cursors(sink: string): Cursor[] {
    return [...this.#accounts].flatMap(({ cursors }) => cursors.get(sink) ?? []);
  }

  /** Bytes that lie in files or in the queue and that the sink has not acknowledged. */
  lag(sink: string): number {
    let lag = 0;
    for (const { cursors, size } of this.#accounts)
      lag += Math.max(0, size - (cursors.get(sink)?.acknowledged.offset ?? 0));
    const queued = this.queue?.account(sink);
    return lag + (queued ? queued.unread + queued.buffered : 0);
  }

  /** What the next start resumes from. */
  positions(): Positions {
    const files = [...this.#accounts].map(
      ({ path, identity, born, modified, size, head, cursors, begun, rewinds, inherited, target }) => ({
        path,
        ...identity,
        ...written({ born, modified }),
        size,
        head,
        ...(target !== undefined && { target }),
        ...(begun !== born && { begun: String(begun) }),
        ...(rewinds > 0 && { rewinds }),
        ...(inherited !== undefined && { origin: inherited }),
        sinks: Object.fromEntries([...cursors].map(([sink, { position }]) => [sink, position])),
      }),
    );
    const youngest = [...this.youngest].map(([path, { identity, ...file }]) => ({
      path,
      ...identity,
      ...written(file),
    }));
    const { instance } = this;
    const queue = this.queue?.positions() ?? this.keptQueue;
    return {
      version: 1,
      instance,
      ...(queue && { queue }),
      since: String(this.#since),
      files: [...files, ...this.kept.values()],
      youngest,
    };
  }
}

// Nanoseconds go beyond what a JSON number holds.
const written = ({ born, modified }: Generation) => ({ born: String(born), modified: String(modified) });
