// One file that is followed, by its open handle: whatever happens to its name, it can be read to its end.

import { type BigIntStats, fstatSync } from 'node:fs';
import { Account, beginning, Cursor, keyOf, type Ledger, type Place } from '../ledger.ts';
import type { Chunk } from '../source/source.ts';
import type { Buffers } from './buffers.ts';
import { type Encoding, encodingOf, type Wanted, widthOf } from './encodings.ts';
import { fingerprint, headOf, placeAt, reach, readFully, readMuch } from './fingerprint.ts';
import type { Handles, Holder } from './handles.ts';
import { findHole } from './hole.ts';
import type { Listings } from './listings.ts';
import { type Found, lookIfThere } from './look.ts';
import { chunkOf } from './piece.ts';
import { reopen } from './reopen.ts';

/** Why a file was not read: what lies before the position is not what it was. */
export const rewritten = Symbol('rewritten');

/** Why what is left of a file is offered to a sink although the file has not grown: bits, so that each counts once. */
export const Reason = { quiet: 1, whole: 2, ended: 4 } as const;

export type Reading = { readonly sink: string; readonly buffers: Buffers; readonly reasons: number };

export type Following = {
  /** What it is called in records, whatever its name is now. */
  readonly path: string;
  readonly lineage: string;
  readonly ledger: Ledger;
  readonly encoding: Wanted;
  readonly handles: Handles;
  readonly listings: Listings;
};

export class FollowedFile implements Holder, Disposable {
  readonly account: Account;
  readonly key: string;
  /** What it was called when it was opened. */
  readonly name: string;
  /** Where it was seen last. */
  at: string;
  /** Files that follow each other under one name: the older is read before the younger. */
  lineage: string;
  /** When it last grew, on the monotonic clock. */
  grown = performance.now();
  /** It has no name any more, but perhaps the one that we gave it. */
  deleted = false;
  /** Left alone until the next look: reading it failed. */
  resting = false;
  /** A second name that keeps it from being removed. */
  link: string | undefined;
  /** Nobody follows it any more. */
  closed = false;
  #seen = 0;
  #handle: number | undefined;
  #readers = 0;
  #encoding: Encoding = 'utf-8';
  readonly #following: Following;

  private constructor(name: string, following: Following, { handle, stats }: { handle: number; stats: BigIntStats }) {
    const identity = { device: String(stats.dev), inode: String(stats.ino) };
    const { path, lineage, ledger } = following;
    this.account = new Account({ path, identity, born: stats.birthtimeNs, modified: stats.mtimeNs });
    this.account.rotated = name !== path;
    this.name = name;
    this.at = name;
    this.key = keyOf(identity);
    this.lineage = lineage;
    this.#handle = handle;
    this.#following = following;
    for (const sink of ledger.sinks) this.account.cursors.set(sink, new Cursor());
  }

  /** @param name where it is now. */
  static open(name: string, following: Following): FollowedFile {
    const handle = following.handles.open(name, following.path);
    const file = new FollowedFile(name, following, { handle, stats: fstatSync(handle, { bigint: true }) });
    following.handles.used(file);
    try {
      file.refresh();
      return file;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  get hold(): Holder['hold'] {
    if (this.#readers > 0 || this.deleted) return 'needed';
    return this.finished && !this.account.rotated ? 'at rest' : 'reopenable';
  }

  letGo(): void {
    if (this.#handle === undefined || this.#readers > 0) return;
    this.#following.handles.close(this, this.#handle);
    this.#handle = undefined;
  }

  /** Throws an ENOENT when it had to be let go and cannot be found again. */
  #open(): number {
    const { handles } = this.#following;
    if (this.closed) throw new Error('it is not followed any more');
    this.#handle ??= this.#openAgain();
    handles.used(this);
    return this.#handle;
  }

  #openAgain(): number {
    const { handles, listings, path } = this.#following;
    const find = () => this.#lookByName() ?? listings.find(this.key, path, this.account.target, this.link);
    const { handle, at } = reopen({ key: this.key, path, handles, find });
    this.at = at;
    return handle;
  }

  #lookByName(): Found | undefined {
    const found = lookIfThere(this.at);
    return found?.key === this.key ? found : undefined;
  }

  /** Looks at it again. @param found what a look at its name has said a moment ago. Returns what has become of it. */
  refresh(found = this.#handle === undefined ? this.#lookByName() : undefined): 'same' | 'changed' | typeof rewritten {
    this.resting = false;
    if (found && this.#isAs(found)) return 'same';
    const { known } = this.account;
    // Somebody else may have looked since: an older size would pass for a truncation.
    const now = this.#look();
    this.deleted = now.links === (this.link === undefined ? 0 : 1);
    if (this.#isAs(now)) return 'same';
    this.account.modified = now.modified;
    this.account.size = now.size;
    this.grown = performance.now();
    // Before what is known is compared: read after that, it might be of what came after a truncation.
    const head = this.#headNow();
    // Not only when it is read: while a sink is down, what is truncated away must be found before its copy is deleted.
    if (!this.holds(known)) return rewritten;
    this.account.head = head;
    this.#seen = Math.max(this.#seen, now.size);
    return 'changed';
  }

  #isAs({ size, modified }: { size: number; modified: bigint }): boolean {
    return modified === this.account.modified && size === this.account.size;
  }

  #look(): { size: number; modified: bigint; links: number } {
    const { size, mtimeNs, nlink } = fstatSync(this.#open(), { bigint: true });
    return { size: Number(size), modified: mtimeNs, links: Number(nlink) };
  }

  #headNow(): Place {
    const { head, size } = this.account;
    return head.offset < reach && size > head.offset ? headOf(this.#open()) : head;
  }

  cursors(): Iterable<Cursor> {
    return this.account.cursors.values();
  }

  cursor(sink: string): Cursor {
    return this.account.cursors.get(sink)!;
  }

  /** Whether it still belongs to what is here: while a sink reads, the content may go to a copy, and the cursor with it. */
  has(cursor: Cursor): boolean {
    return this.account.cursors.values().some((each) => each === cursor);
  }

  /** Everything has been read, and acknowledged by every sink. */
  get finished(): boolean {
    return this.account.cursors.values().every(({ acknowledged }) => acknowledged.offset >= this.account.size);
  }

  /** Whether there is something that a sink has not taken. */
  get unsettled(): boolean {
    return this.account.cursors.values().some(({ read }) => read.offset < this.account.size);
  }

  /** Whether there is more for the sink than what it has seen and not taken, or a new reason to see that again. */
  offers(sink: string, reasons: number): boolean {
    const { read, seen, offered } = this.cursor(sink);
    const { size } = this.account;
    return !this.resting && size > read.offset && (size > seen || (reasons & ~offered) !== 0);
  }

  /** The next bytes for a sink, undefined when there are none, or `rewritten`. */
  async read(reading: Reading): Promise<Chunk | typeof rewritten | undefined> {
    const cursor = this.cursor(reading.sink);
    this.#readers++;
    try {
      if (cursor.read.offset === 0) await this.#skipHole(cursor);
      return await this.#read(cursor, reading);
    } finally {
      this.#readers--;
      if (this.closed) this.letGo();
    }
  }

  async #read(cursor: Cursor, reading: Reading): Promise<Chunk | typeof rewritten | undefined> {
    const { buffers, reasons } = reading;
    const handle = this.#open();
    const { offset } = cursor.read;
    const reached = Math.min(reach, offset);
    const wanted = Math.min(buffers.window * widthOf(this.#encoding), Math.max(0, this.account.size - offset));
    // The head of the file, the bytes before the position, and those behind it: all that a place is made of.
    const lease = buffers.lend(reach + reached + wanted);
    const body = lease.bytes.subarray(reach);
    const length = await readMuch(handle, body, offset - reached);
    // Read last: what is compared is at least as new as what was read.
    const head = lease.bytes.subarray(0, readFully(handle, lease.bytes.subarray(0, reach), 0));
    const before = body.subarray(0, Math.min(reached, length));
    const bytes = body.subarray(reached, Math.max(reached, length));
    const continues = this.has(cursor) && this.#continues(cursor.read, { head, tail: before });
    const encoding = encodingOf(head, this.#following.encoding);
    if (!continues || bytes.length === 0 || encoding !== this.#encoding) lease.release();
    cursor.offered = reasons;
    if (!continues) return rewritten;
    if (encoding !== this.#encoding) {
      this.#encoding = encoding;
      return this.#read(cursor, reading);
    }
    cursor.seen = offset + bytes.length;
    // Shorter than when it was looked at: what was there is gone, and the next look finds out where to.
    if (bytes.length < wanted) this.account.size = Math.min(this.account.size, cursor.seen);
    if (bytes.length === 0) return undefined;
    return chunkOf({ lease, head, bytes, offset, encoding }, { cursor, ...this.#about(cursor, reasons) });
  }

  #about({ seen }: Cursor, reasons: number) {
    const { ledger } = this.#following;
    const { path, size } = this.account;
    // A full window ends where it must, not where the file does.
    const full = seen < size;
    const unfinished = full ? 'held' : reasons & Reason.whole ? 'line' : reasons & Reason.ended ? 'part' : 'held';
    const quiet = reasons & Reason.ended ? Number.POSITIVE_INFINITY : performance.now() - this.grown;
    return { ledger, path, origin: ledger.originOf(this.account), quiet, full, unfinished } as const;
  }

  /** Whether these are the bytes that lay before the place; at the beginning, whether they are those that were seen there. */
  #continues({ offset, print }: Place, { head, tail }: { head: Buffer; tail: Buffer }): boolean {
    if (offset > 0) return fingerprint(head.subarray(0, Math.min(reach, offset)), tail) === print;
    const seen = this.account.head;
    const bytes = head.subarray(0, seen.offset);
    return seen.offset === 0 || fingerprint(bytes, bytes) === seen.print;
  }

  /** What lies at the beginning and is no line. */
  async #skipHole(cursor: Cursor): Promise<void> {
    const offset = await findHole(this.#open(), this.#following.encoding);
    if (offset === 0 || !this.has(cursor)) return;
    cursor.read = placeAt(this.#open(), offset);
    if (cursor.acknowledged.offset === 0)
      this.#following.ledger.acknowledge(cursor, cursor.read, { delivered: 0, dead: 0, dropped: {} });
  }

  /** How long its content was seen to be. */
  get seen(): number {
    return this.#seen;
  }

  /** Bytes that were seen to be there and that not every sink has read. */
  get unread(): number {
    return this.#seen - Math.min(...[...this.cursors()].map(({ read }) => read.offset));
  }

  /** Starts over: the content that the cursors belong to is not here any more. */
  rewind(): void {
    const { ledger } = this.#following;
    this.account.cursors = new Map(ledger.sinks.map((sink) => [sink, new Cursor()]));
    this.account.head = beginning;
    this.account.rewinds++;
    this.account.inherited = undefined;
    ledger.changed();
    this.account.size = this.#look().size;
    this.#seen = this.account.size;
    this.account.head = this.#headNow();
  }

  /** The place behind all that was seen of it. */
  get end(): Place {
    return placeAt(this.#open(), this.account.size);
  }

  /** Whether the bytes before the place are those it was taken at. */
  holds({ offset, print }: Place): boolean {
    return offset === 0 || (offset <= this.account.size && placeAt(this.#open(), offset).print === print);
  }

  [Symbol.dispose](): void {
    this.closed = true;
    this.letGo();
  }
}
