// Puts become frames. What comes while one write is under way goes with the next, all at once.

import type { FileHandle } from 'node:fs/promises';
import { reasonOf } from '@outrigger/core';
import { encodeHeader, type Header, headerLength, kinds } from './frame-format.ts';
import { seal } from './recover.ts';
import type { Room } from './room.ts';
import type { Segment } from './segment.ts';
import { countLines, pieces } from './settled.ts';
import type { Store } from './store.ts';

/** 'safe': kept whatever happens to this process. 'full': not taken; try again when there is room. */
export type Put = 'safe' | 'full';

/** When what was written is made to survive a power cut, too: before it is called safe, from time to time, when the kernel likes. */
export type Sync = 'always' | 'interval' | 'never';

export type WriterOptions = {
  readonly store: Store;
  readonly room: Room;
  readonly sync: Sync;
  readonly syncInterval: number;
  readonly segmentSize: number;
  /** The disk does not take what it is given, or does again. */
  readonly trouble: (reason: string | undefined) => void;
  /** So many bytes of lines were put. */
  readonly put: (bytes: number) => void;
};

/** A put is cut into frames of this length, so that a reader needs little memory and damage costs little. */
const frameLimit = 0x100000;
/** What may wait in memory for its turn. */
const waitingLimit = 0x800000;
/** Of one write. */
const group = { bytes: 0x400000, puts: 256 };
/** After a write that failed the next is tried so many milliseconds later. */
const rest = 1000;

type Active = { readonly segment: Segment; readonly file: FileHandle };
type Waiting = { readonly lines: Buffer; readonly resolve: (put: Put) => void };

export class Writer implements AsyncDisposable {
  readonly #options: WriterOptions;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #notices: Buffer[] = [];
  #active: Active | undefined;
  /** Somebody has removed the file that is written to. */
  #deserted = false;
  #running: Promise<void> | undefined;
  #restUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();
  trouble: string | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  put(lines: Buffer): Promise<Put> {
    if (lines.length === 0) return Promise.resolve('safe');
    if (this.#options.store.ended || (this.#bytes > 0 && this.#bytes + lines.length > waitingLimit))
      return Promise.resolve('full');
    return new Promise((resolve) => {
      this.#waiting.push({ lines, resolve });
      this.#bytes += lines.length;
      this.#running ??= this.#run();
    });
  }

  /** Goes before the next that is put; there is always room for it. */
  note(line: Buffer): void {
    this.#notices.push(line);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const puts = this.#group();
      const put = await this.#commit(puts);
      for (const { lines, resolve } of puts) {
        this.#bytes -= lines.length;
        resolve(put);
      }
      if (put === 'safe') this.#options.store.freed();
    }
    this.#running = undefined;
  }

  /** As many as go into one write and into the room there is; one in any case. */
  #group(): Waiting[] {
    const limit = Math.min(group.bytes, this.#options.room.left);
    let [count, bytes] = [0, 0];
    for (const { lines } of this.#waiting) {
      bytes += lines.length + headerLength;
      if (count > 0 && (count === group.puts || bytes > limit)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(puts: readonly Waiting[]): Promise<Put> {
    if (performance.now() < this.#restUntil) return 'full';
    const bytes = puts.reduce((sum, { lines }) => sum + lines.length + headerLength, 0);
    try {
      if (!(await this.#options.room.make(bytes))) return 'full';
      await this.#write([...this.#notices, ...puts.map(({ lines }) => lines)]);
      this.#notices = [];
      this.#tell(undefined);
      return 'safe';
    } catch (error) {
      this.#restUntil = performance.now() + rest;
      this.#tell(reasonOf(error));
      return 'full';
    }
  }

  #tell(trouble: string | undefined): void {
    if (trouble !== this.trouble) this.#options.trouble(trouble);
    this.trouble = trouble;
  }

  async #write(puts: readonly Buffer[]): Promise<void> {
    const { store, sync, segmentSize } = this.#options;
    if (this.#deserted || (this.#active && this.#active.segment.size >= segmentSize)) await this.close();
    this.#active ??= await this.#begin();
    const { segment, file } = this.#active;
    const frames = framesOf(puts, segment);
    try {
      await writeAll(
        file,
        frames.flatMap(({ header, payload }) => [header, payload]),
        segment.size,
      );
      if (sync === 'always') await file.datasync();
    } catch (error) {
      await this.#undo(error);
      throw error;
    }
    const { size, length } = segment;
    for (const frame of frames)
      segment.add(frame.fields, { bytes: headerLength + frame.payload.length, payload: frame.payload.length });
    this.#options.put(segment.length - length);
    store.grown(segment.size - size);
    if (sync === 'interval') this.#timer ??= setTimeout(() => this.#sync(), this.#options.syncInterval);
  }

  async #begin(): Promise<Active> {
    const begun = await this.#options.store.add();
    if (this.#options.sync !== 'never') await this.#options.store.syncNames();
    return begun;
  }

  /** What was half written is taken back. On a file that fails in other ways than being full nothing is built. */
  async #undo(error: unknown): Promise<void> {
    const { segment, file } = this.#active!;
    const isFull = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
    try {
      await file.truncate(segment.size);
      if (isFull) return;
    } catch {
      // The reader goes no further than what was committed, and the next start sees that the rest is torn.
    }
    await this.close();
  }

  #sync(): void {
    this.#timer = undefined;
    const active = this.#active;
    if (active) this.#syncing = this.#settle(active).catch((error: unknown) => this.#tell(reasonOf(error)));
  }

  async #settle(active: Active): Promise<void> {
    await active.file.datasync();
    const { nlink } = await active.file.stat();
    // What is written to a file without a name is not there for the next start.
    if (nlink === 0 && this.#active === active) this.#deserted = true;
  }

  /** What comes next goes to another segment. */
  async close(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    this.#active = undefined;
    this.#deserted = false;
    const { segment, file } = active;
    const { store, sync } = this.#options;
    try {
      const { size } = segment;
      // Before it is closed for good: a segment without lines is none.
      if (segment.length === 0) store.remove(segment);
      else await seal(segment, file);
      store.grown(segment.size - size);
      await this.#syncing;
      if (sync !== 'never') await file.datasync();
    } finally {
      await file.close();
    }
    store.moved();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    clearTimeout(this.#timer);
    await this.close();
  }
}

type Encoded = { readonly fields: Header; readonly header: Buffer; readonly payload: Buffer };

function framesOf(puts: readonly Buffer[], { length, records: had, origin }: Segment): Encoded[] {
  const frames: Encoded[] = [];
  const time = Date.now();
  let [offset, before] = [length, had];
  for (const put of puts)
    for (const payload of pieces(put, frameLimit)) {
      const records = countLines(payload);
      const fields = { kind: kinds.lines, offset, before, records, dropped: 0, time };
      frames.push({ fields, header: encodeHeader(fields, { payload, origin }), payload });
      offset += payload.length;
      before += records;
    }
  return frames;
}

/** One call as a rule; a disk that fills up takes only a part, and says why with the next. */
async function writeAll(file: FileHandle, buffers: Buffer[], position: number): Promise<void> {
  let left = buffers;
  for (let at = position; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left, at);
    if (bytesWritten === 0) throw new Error('Nothing was written');
    at += bytesWritten;
    left = after(left, bytesWritten);
  }
}

function after(buffers: readonly Buffer[], written: number): Buffer[] {
  let skipped = 0;
  const first = buffers.findIndex(({ length }) => {
    skipped += length;
    return skipped > written;
  });
  if (first === -1) return [];
  const { length } = buffers[first]!;
  return [buffers[first]!.subarray(length - (skipped - written)), ...buffers.slice(first + 1)];
}
