// The segments there are, how far each sink has come in them, and who waits for a change of that.

import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { Cursor, type Place } from './cursor.ts';
import { type Positions, Segment } from './segment.ts';

type Options = {
  readonly directory: string;
  readonly segments: Segment[];
  /** The number of the next segment. */
  readonly next: number;
  /** A segment's file could not be removed. */
  readonly stuck: (path: string, reason: unknown) => void;
  /** A sink has acknowledged more, or has nothing more to expect from what was dropped. */
  readonly moved: () => void;
};

export class Store {
  readonly cursors = new Map<string, Cursor>();
  /** Oldest first; nothing is added to any but the last. */
  readonly segments: Segment[];
  /** Of all files. */
  bytes: number;
  /** Nothing will be put any more: readers end when they have all. */
  ended = false;
  readonly #options: Options;
  #next: number;
  #change = Promise.withResolvers<void>();
  #room = Promise.withResolvers<void>();

  constructor(options: Options) {
    this.#options = options;
    this.segments = options.segments;
    this.bytes = options.segments.reduce((sum, { size }) => sum + size, 0);
    this.#next = options.next;
  }

  /** Resolves with the next change. */
  get change(): Promise<void> {
    return this.#change.promise;
  }

  changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers();
    resolve();
  }

  /** Resolves when there is more room than before. */
  get room(): Promise<void> {
    return this.#room.promise;
  }

  /** Never for a put that found none: those who wait would wake one another for ever. */
  freed(): void {
    const { resolve } = this.#room;
    this.#room = Promise.withResolvers();
    resolve();
  }

  /** The segment of that number, or the one that follows it. */
  from(number: number): Segment | undefined {
    return this.segments.find((segment) => segment.number >= number);
  }

  async add(): Promise<{ segment: Segment; file: FileHandle }> {
    const { directory } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // A number is used once, also when no file came of it: somebody else's may be in its place.
    const segment = new Segment(directory, this.#next++, randomBytes(8));
    const file = await open(segment.path, 'wx+', 0o600);
    this.segments.push(segment);
    return { segment, file };
  }

  /** That a file is there survives a power cut, too. */
  async syncNames(): Promise<void> {
    await using directory = await open(this.#options.directory);
    await directory.sync();
  }

  /** Of the files of a segment there are more or fewer bytes now. */
  grown(bytes: number): void {
    this.bytes += bytes;
    this.changed();
    if (bytes < 0) this.freed();
  }

  remove(segment: Segment): void {
    const index = this.segments.indexOf(segment);
    if (index === -1) return;
    this.segments.splice(index, 1);
    segment.removed = true;
    this.bytes -= segment.size;
    rm(segment.path, { force: true }).catch((error: unknown) => this.#options.stuck(segment.path, error));
    this.changed();
    this.freed();
  }

  /** Gives up the oldest: whoever had not read it has to do without. */
  drop(segment: Segment): void {
    const after = { segment: segment.number + 1, offset: 0 };
    for (const cursor of this.cursors.values()) {
      const { read } = cursor;
      if (read.segment > segment.number) continue;
      cursor.bytes.oldest += segment.length - (read.segment === segment.number ? read.offset : 0);
      cursor.go(after);
    }
    this.remove(segment);
    this.#options.moved();
  }

  /** Told by a reader, and by whoever acknowledges. */
  moved(): void {
    const passed = Math.min(...[...this.cursors.values()].map(({ acknowledged }) => acknowledged.segment));
    for (const segment of this.segments.filter(({ number, sealed }) => sealed && number < passed)) this.remove(segment);
    this.#options.moved();
  }

  /** The place of the sink that has read least. */
  get slowest(): Place {
    const places = [...this.cursors.values()].map(({ read }) => read);
    return places.reduce((a, b) => (b.segment < a.segment || (b.segment === a.segment && b.offset < a.offset) ? b : a));
  }

  /** Every sink has acknowledged all there is. */
  get done(): boolean {
    return [...this.cursors.values()].every(({ acknowledged }) => this.beyond(acknowledged) === 0);
  }

  /** Bytes of lines that are there from a place on. */
  beyond({ segment: number, offset }: Place): number {
    let bytes = 0;
    for (const { number: each, length } of this.segments)
      if (each >= number) bytes += length - (each === number ? Math.min(offset, length) : 0);
    return bytes;
  }

  /** Sinks of which nothing is known begin with the oldest there is. */
  resume(sinks: readonly string[], positions: Positions): void {
    for (const sink of sinks) {
      const position = positions[sink];
      const segment = this.segments.find(({ number }) => number === position?.segment);
      const same = segment?.origin.toString('base64url') === position?.origin;
      const offset = same ? Math.min(position?.offset ?? 0, segment?.length ?? 0) : 0;
      this.cursors.set(sink, new Cursor({ segment: position?.segment ?? 0, offset }));
    }
  }

  positions(): Positions {
    return Object.fromEntries(
      [...this.cursors].map(
        ([
          sink,
          {
            acknowledged: { segment: number, offset },
          },
        ]) => {
          const segment = this.segments.find((each) => each.number === number);
          return [sink, { segment: number, origin: segment?.origin.toString('base64url') ?? '', offset }];
        },
      ),
    );
  }
}
