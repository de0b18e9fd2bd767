// What one sink reads: the lines of as many frames as lie one behind the other, in order, each at its own pace.

import { type FileHandle, open } from 'node:fs/promises';
import { pause, reasonOf } from '@outrigger/core';
import type { Chunk } from '../source/source.ts';
import type { Cursor, Place } from './cursor.ts';
import { type Frame, kinds } from './frame-format.ts';
import { FrameReader } from './frame-reader.ts';
import type { Quarantine } from './quarantine.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';

/** Of one chunk, unless a single frame is longer. */
const chunkLimit = 0x40000;
/** What cannot be read is tried again so often, with a second in between. */
const attempts = 5;

export class QueueReader implements AsyncDisposable {
  readonly #store: Store;
  readonly #cursor: Cursor;
  readonly #quarantine: Quarantine;
  readonly #free: Buffer[] = [];
  #open: { segment: Segment; generation: number; file: FileHandle; frames: FrameReader } | undefined;
  /** How many records are before the next frame. */
  #before = 0;
  #failures = 0;

  constructor(store: Store, cursor: Cursor, quarantine: Quarantine) {
    this.#store = store;
    this.#cursor = cursor;
    this.#quarantine = quarantine;
  }

  /** Undefined when there is nothing more at present. */
  async next(): Promise<Chunk | undefined> {
    for (;;) {
      const segment = this.#store.from(this.#cursor.read.segment);
      if (!segment) return undefined;
      if (segment.number !== this.#cursor.read.segment) this.#go({ segment: segment.number, offset: 0 });
      try {
        const frames = await this.#framesOf(segment);
        const chunk = await this.#collect(segment, frames);
        this.#failures = 0;
        if (chunk) return chunk;
        // More may have been committed, or its end written, while it was read.
        if (this.#isStale(segment) || frames.position < segment.size) continue;
        if (!segment.sealed) return undefined;
        this.#leave(segment);
      } catch (error) {
        await this.#failed(segment, error);
      }
    }
  }

  #isStale(segment: Segment): boolean {
    return segment.removed || this.#open?.segment !== segment || this.#open.generation !== segment.generation;
  }

  async #framesOf(segment: Segment): Promise<FrameReader> {
    if (this.#open && !this.#isStale(segment)) return this.#open.frames;
    await this[Symbol.asyncDispose]();
    // First: what changes while it is opened makes it stale.
    const { generation } = segment;
    const file = await open(segment.path);
    this.#before = 0;
    this.#open = { segment, generation, file, frames: new FrameReader(file, { origin: segment.origin }) };
    return this.#open.frames;
  }

  async #collect(segment: Segment, frames: FrameReader): Promise<Chunk | undefined> {
    const collected = new Collected(this.#free);
    for (;;) {
      const next = this.#isStale(segment) ? 'end' : frames.next(segment.size);
      if (typeof next === 'object') {
        if (!this.#add(collected, { frame: next, segment, frames })) break;
        frames.pass(next);
        this.#before = next.before + next.records;
      } else if (next === 'end' || collected.length > 0) break;
      else if (next === 'bad' || !(await frames.fill(segment.size))) await this.#skip(segment, frames);
    }
    return collected.length > 0 ? this.#chunk(segment, collected) : undefined;
  }

  /** Returns false when the frame has to wait for the next chunk: one holds bytes without a gap. */
  #add(
    collected: Collected,
    { frame, segment, frames }: { frame: Frame; segment: Segment; frames: FrameReader },
  ): boolean {
    const { offset } = this.#cursor.read;
    const expected = offset + collected.length;
    const end = frame.offset + frame.dropped + frame.end - frame.start;
    if (end < expected || (end === expected && frame.kind !== kinds.end)) return true;
    if (collected.length > 0 && (frame.offset > expected || frame.kind !== kinds.lines)) return false;
    if (frame.offset > expected) this.#miss(segment, { to: frame.offset, records: frame.before - this.#before });
    if (frame.kind === kinds.end) return true;
    if (frame.kind === kinds.dropped) {
      this.#cursor.bytes.level += end - Math.max(frame.offset, expected);
      this.#go({ segment: segment.number, offset: end });
      return true;
    }
    const skipped = Math.max(0, expected - frame.offset);
    const left = segment.size - frames.position;
    return collected.add(frames.bytes, { start: frame.start + skipped, end: frame.end, left });
  }

  /** What was there between the last frame and this can be read by nobody. */
  #miss(segment: Segment, { to, records }: { to: number; records: number }): void {
    const { bytes, read } = this.#cursor;
    bytes.damaged += to - read.offset;
    this.#cursor.damagedRecords += Math.max(0, records);
    this.#go({ segment: segment.number, offset: to });
  }

  #go(place: Place): void {
    this.#cursor.go(place);
    this.#store.moved();
  }

  async #skip(segment: Segment, frames: FrameReader): Promise<void> {
    const { position } = frames;
    await frames.resync(segment.size);
    if (this.#isStale(segment) || !this.#open) return;
    const bytes = frames.position - position;
    await this.#quarantine.keep(this.#open.file, { path: segment.path, position, bytes, reason: 'damaged' });
  }

  /** All there is of it has been read. */
  #leave(segment: Segment): void {
    const { read } = this.#cursor;
    if (segment.length > read.offset)
      this.#miss(segment, { to: segment.length, records: segment.records - this.#before });
    this.#go({ segment: segment.number + 1, offset: 0 });
  }

  /** A segment that is not there, or cannot be read again and again, must not stop what is behind it. */
  async #failed(segment: Segment, error: unknown): Promise<void> {
    await this[Symbol.asyncDispose]();
    if (segment.removed) return;
    const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!gone && ++this.#failures < attempts) return pause(1000);
    this.#failures = 0;
    this.#quarantine.report({
      path: segment.path,
      position: 0,
      bytes: gone ? 0 : segment.size,
      reason: gone ? 'missing' : 'damaged',
      problem: reasonOf(error),
    });
    // Nothing can be written behind it where it cannot be read.
    if (segment.sealed) this.#leave(segment);
    else this.#miss(segment, { to: segment.length, records: 0 });
  }

  #chunk(segment: Segment, { buffer, length }: Collected): Chunk {
    const cursor = this.#cursor;
    const store = this.#store;
    const { offset } = cursor.read;
    const at = (bytes: number) => ({ segment: segment.number, offset: offset + bytes });
    let acknowledged = 0;
    // Before it is handed out: what is dropped from now on is not among it.
    cursor.bytes.read += length;
    cursor.go(at(length));
    return {
      path: segment.path,
      settled: true,
      bytes: buffer.subarray(0, length),
      unfinished: 'held',
      quiet: Number.POSITIVE_INFINITY,
      full: false,
      origin: segment.origin.toString('base64url'),
      offset,
      take: (taken) => {
        if (taken === length) return;
        cursor.bytes.read -= length - taken;
        // Its file is opened again, and read from its beginning to find what was not taken.
        if (this.#open) this.#open.generation = -1;
        if (cursor.read.segment === segment.number) cursor.go(at(taken));
        else cursor.bytes.oldest += length - taken;
      },
      acknowledgement: (taken) => (settled) => {
        cursor.acknowledge(at(taken), taken - acknowledged, settled);
        acknowledged = taken;
        store.moved();
      },
      release: () => {
        if (this.#free.length < 3) this.#free.push(buffer);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#open;
    this.#open = undefined;
    await opened?.file.close();
  }
}

/** The lines of a chunk as they come together. */
class Collected {
  readonly #free: Buffer[];
  buffer: Buffer = Buffer.alloc(0);
  length = 0;

  constructor(free: Buffer[]) {
    this.#free = free;
  }

  add(from: Buffer, { start, end, left }: { start: number; end: number; left: number }): boolean {
    const needed = end - start;
    // As much as a chunk may have, or as there is: a quiet application needs little.
    if (this.length === 0) this.buffer = this.#take(Math.max(needed, Math.min(chunkLimit, left)));
    else if (this.length + needed > this.buffer.length) return false;
    this.length += from.copy(this.buffer, this.length, start, end);
    return true;
  }

  #take(size: number): Buffer {
    const fitting = this.#free.findIndex(({ length }) => length >= size);
    if (fitting !== -1) return this.#free.splice(fitting, 1)[0]!;
    // One that is too small is of no use any more.
    this.#free.pop();
    return Buffer.allocUnsafeSlow(size);
  }
}
