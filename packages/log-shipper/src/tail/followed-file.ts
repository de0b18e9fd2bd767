// One file that is followed, by its open handle: whatever happens to its name, it can be read to its end.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Account, beginning, Cursor, keyOf, type Ledger, type Place } from '../ledger.ts';
import type { Chunk } from '../source/source.ts';
import { fingerprint, placeAt, reach, readFully } from './fingerprint.ts';

/** Where a sink's chunks are read to: one for all files, since a sink has one chunk at a time. */
export class ReadBuffer {
  readonly head = Buffer.allocUnsafeSlow(reach);
  readonly #most: number;

  /** @param window how many bytes a chunk may have. */
  constructor(window: number) {
    this.#most = reach + window;
  }

  /** Room for as much of `size` bytes as a chunk may have; grows with need, so that quiet files cost little. */
  body(size: number): Buffer {
    const wanted = Math.min(size, this.#most);
    return Buffer.allocUnsafeSlow(wanted);
  }
}

const zeros = Buffer.alloc(0x10000);

/** Why a file was not read: what lies before the position is not what it was. */
export const rewritten = Symbol('rewritten');

export type Reading = { sink: string; buffer: ReadBuffer; unfinished: Chunk['unfinished'] };

export class FollowedFile implements AsyncDisposable {
  readonly account: Account;
  readonly key: string;
  /** What it was called when it was opened. */
  readonly name: string;
  /** Files that follow each other under one name: the older is read before the younger. */
  lineage: string;
  /** Orders files, the oldest first: milliseconds since the epoch, as a rule of its birth. */
  age: number;
  /** The file whose content this one is a copy of, until that is truncated. */
  copyOf: FollowedFile | undefined;
  /** When it last grew, on the monotonic clock. */
  grown = performance.now();
  /** It has no name any more. */
  deleted = false;
  /** Left alone until the next poll: reading it failed. */
  resting = false;
  #longest = 0;
  readonly #handle: FileHandle;
  readonly #ledger: Ledger;

  private constructor(handle: FileHandle, account: Account, { name, ledger, lineage }: Following & { name: string }) {
    this.#handle = handle;
    this.name = name;
    this.account = account;
    this.key = keyOf(account.identity);
    this.#ledger = ledger;
    this.lineage = lineage;
    this.age = Number(account.born || account.modified) / 1e6;
    for (const sink of ledger.sinks) account.cursors.set(sink, new Cursor());
  }

  /** @param name where it is now. */
  static async open(name: string, following: Following): Promise<FollowedFile> {
    // Without waiting: a FIFO of that name would hold up everything until somebody writes.
    const handle = await open(name, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { dev, ino, birthtimeNs: born, mtimeNs: modified } = await handle.stat({ bigint: true });
      const identity = { device: String(dev), inode: String(ino) };
      const account = new Account({ path: following.path, identity, born, modified });
      const file = new FollowedFile(handle, account, { ...following, name });
      await file.refresh();
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Looks at it again. Returns what has become of it. */
  async refresh(): Promise<'same' | 'changed' | typeof rewritten> {
    const { size, mtimeNs, nlink } = await this.#handle.stat({ bigint: true });
    const changed = mtimeNs !== this.account.modified || Number(size) !== this.account.size;
    this.account.modified = mtimeNs;
    this.account.size = Number(size);
    this.deleted = nlink === 0n;
    this.resting = false;
    if (!changed) return 'same';
    this.grown = performance.now();
    const { cursors, known } = this.account;
    // Not only when it is read: while a sink is down, what is truncated away must be found before its copy is deleted.
    const holds = await this.holds(known);
    // Unless a reader has seen it first, and the file begins anew already.
    if (!holds && this.account.cursors === cursors) return rewritten;
    this.#longest = Math.max(this.#longest, this.account.size);
    await this.#lookAtHead();
    return 'changed';
  }

  async #lookAtHead(): Promise<void> {
    if (this.account.head.offset === reach) return;
    const bytes = Buffer.alloc(reach);
    const head = bytes.subarray(0, await readFully(this.#handle, bytes, 0));
    this.account.head = { offset: head.length, print: fingerprint(head, head) };
  }

  cursors(): Iterable<Cursor> {
    return this.account.cursors.values();
  }

  cursor(sink: string): Cursor {
    return this.account.cursors.get(sink)!;
  }

  /** Everything has been read, and acknowledged by every sink. */
  get finished(): boolean {
    const { size } = this.account;
    for (const { acknowledged } of this.cursors()) if (acknowledged.offset < size) return false;
    return true;
  }

  /** Whether there is more for the sink than the unfinished line that it has seen. */
  readable(sink: string): boolean {
    return !this.resting && this.account.size > this.cursor(sink).seen;
  }

  /** Whether a line without an end is left. */
  unfinished(sink: string): boolean {
    return !this.resting && this.account.size > this.cursor(sink).read.offset;
  }

  /** The next bytes for a sink, undefined when there are none, or `rewritten`. */
  async read({ sink, buffer, unfinished }: Reading): Promise<Chunk | typeof rewritten | undefined> {
    const cursor = this.cursor(sink);
    if (cursor.read.offset === 0) await this.#skipHole(cursor);
    const { offset } = cursor.read;
    const before = Math.min(reach, offset);
    const body = buffer.body(before + Math.max(0, this.account.size - offset));
    const length = await readFully(this.#handle, body, offset - before);
    const headLength = await readFully(this.#handle, buffer.head, 0);
    // Read first, compared then: what is compared is at least as new as what was read.
    const head = buffer.head.subarray(0, headLength);
    if (!this.#continues(cursor.read, { head, tail: body.subarray(0, Math.min(before, length)) })) return rewritten;
    cursor.seen = offset + length - before;
    // Shorter than when it was looked at: what was there is gone, and the next look finds out where to.
    if (length < body.length) this.account.size = Math.min(this.account.size, cursor.seen);
    if (length === before) return undefined;
    const place = (at: number): Place => {
      const known = Math.min(reach, offset + at);
      const tail = body.subarray(before + at - known, before + at);
      return { offset: offset + at, print: fingerprint(buffer.head.subarray(0, known), tail) };
    };
    const full = offset + length - before < this.account.size;
    return {
      path: this.account.path,
      origin: this.key,
      offset,
      bytes: body.subarray(before, length),
      quiet: performance.now() - this.grown,
      full,
      // A full buffer ends where it must, not where the file does.
      unfinished: full ? 'held' : unfinished,
      release: () => undefined,
      take: (taken) => {
        if (taken > 0) cursor.read = place(taken);
      },
      acknowledgement: (taken) => {
        const reached = place(taken);
        return (settled) => this.#ledger.acknowledge(cursor, reached, settled);
      },
    };
  }

  /** Whether these are the bytes that lay before the place; at the beginning, whether they are those that were seen there. */
  #continues({ offset, print }: Place, { head, tail }: { head: Buffer; tail: Buffer }): boolean {
    if (offset > 0) return fingerprint(head.subarray(0, Math.min(reach, offset)), tail) === print;
    const seen = this.account.head;
    const bytes = head.subarray(0, seen.offset);
    return seen.offset === 0 || fingerprint(bytes, bytes) === seen.print;
  }

  /**
   * A writer that does not append goes on at its old position after its file was truncated: before its next line lies a
   * hole of NULs, as long as all that was there, and no line.
   */
  async #skipHole(cursor: Cursor): Promise<void> {
    const bytes = Buffer.allocUnsafe(zeros.length);
    let offset = 0;
    for (;;) {
      const length = await readFully(this.#handle, bytes.subarray(0, offset === 0 ? 1 : bytes.length), offset);
      const block = bytes.subarray(0, length);
      if (length > 0 && block.equals(zeros.subarray(0, length))) offset += length;
      else {
        offset += Math.max(
          0,
          block.findIndex((byte) => byte !== 0),
        );
        break;
      }
    }
    if (offset > 0) cursor.read = await placeAt(this.#handle, offset);
  }

  /** Bytes that were seen to be there and that not every sink has read. */
  get unread(): number {
    return this.#longest - Math.min(...[...this.cursors()].map(({ read }) => read.offset));
  }

  /** Starts over: the content that the cursors belong to is not here any more. */
  async rewind(): Promise<void> {
    this.account.cursors = new Map(this.#ledger.sinks.map((sink) => [sink, new Cursor()]));
    this.account.head = beginning;
    this.#ledger.changed();
    this.account.size = Number((await this.#handle.stat()).size);
    this.#longest = this.account.size;
    await this.#lookAtHead();
  }

  /** Whether the bytes before the place are those it was taken at. */
  async holds({ offset, print }: Place): Promise<boolean> {
    return offset === 0 || (offset <= this.account.size && (await placeAt(this.#handle, offset)).print === print);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

export type Following = {
  /** What it is called in records, whatever its name is now. */
  readonly path: string;
  readonly lineage: string;
  readonly ledger: Ledger;
};
