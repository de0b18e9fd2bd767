// What happens at the cap: putters wait, or the oldest goes, or first what is worth least.

import { open, rename, rm } from 'node:fs/promises';
import { encodeHeader, type Header, headerLength, kinds } from './frame-format.ts';
import { FrameReader, walk } from './frame-reader.ts';
import { endOf } from './recover.ts';
import type { Segment } from './segment.ts';
import { countLines, type Dropped, levelAt, lineEnd } from './settled.ts';
import type { Store } from './store.ts';

export type Policy = 'block' | 'drop-oldest' | 'drop-by-level';

type Options = {
  readonly store: Store;
  /** Bytes of all segments together. */
  readonly limit: number;
  readonly policy: Policy;
  /** With drop-by-level: lines below this severityNumber go first. */
  readonly level: number;
  /** Closes the segment that is written to, so that it can go. */
  readonly close: () => Promise<void>;
  readonly dropped: (dropped: Dropped) => void;
  readonly trouble: (path: string, error: unknown) => void;
};

export class Room {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  get left(): number {
    return this.#options.limit - this.#options.store.bytes;
  }

  /** Makes room for that many bytes as the policy says. Returns whether there is. */
  async make(bytes: number): Promise<boolean> {
    const { store, policy, limit } = this.#options;
    while (this.left < bytes) {
      // More than the limit at once: better too much, once all else is done, than never.
      if (policy === 'block') return bytes > limit && store.done;
      const low = policy === 'drop-by-level' && store.segments.find(({ sealed, sifted }) => sealed && !sifted);
      if (low) await this.#sift(low);
      else if (store.segments.length > 0) await this.#dropOldest();
      // The limit is less than what is put at once: better too much than never.
      else return true;
    }
    return true;
  }

  async #dropOldest(): Promise<void> {
    const { store, close, dropped, trouble } = this.#options;
    if (store.segments.length === 1) await close();
    const segment = store.segments[0];
    if (!segment) return;
    const { segment: number, offset } = store.slowest;
    const wanted = number <= segment.number;
    const from = number === segment.number ? offset : 0;
    const { records, length, to } = segment;
    // Of one that cannot be read any more it is known what was put there.
    const counted = await tally(segment, from).catch((error: unknown) => {
      trouble(segment.path, error);
      return { records, bytes: length - from, from: segment.from, to };
    });
    store.drop(segment);
    if (wanted && counted.bytes > 0) dropped({ reason: 'oldest', ...counted });
  }

  /**
   * Writes the segment anew without the lines that may go first. What is left keeps its place: a frame says what was
   * there, so that positions and identities of records stay what they are.
   */
  async #sift(segment: Segment): Promise<void> {
    const { store, level, dropped } = this.#options;
    segment.sifted = true;
    const sifting = new Sifting(segment, level);
    const temporary = `${segment.path}.tmp`;
    try {
      {
        await using from = await open(segment.path);
        await using into = await open(temporary, 'w', 0o600);
        for await (const found of walk(new FrameReader(from, { origin: segment.origin }), segment.size))
          if ('frame' in found)
            for (const piece of sifting.sift(found.frame, found.payload)) await into.writeFile(piece);
        await into.writeFile(Buffer.concat([...sifting.end(), endOf(segment)]));
        await into.datasync();
      }
      if (sifting.dropped.records === 0) return void (await rm(temporary, { force: true }));
      await rename(temporary, segment.path);
    } catch (error) {
      // A disk that is full has no room for a copy either. Whole segments go instead.
      this.#options.trouble(segment.path, error);
      return void (await rm(temporary, { force: true }));
    }
    const size = sifting.size + headerLength;
    store.grown(size - segment.size);
    segment.size = size;
    segment.generation++;
    dropped({ reason: 'level', ...sifting.dropped });
  }
}

type Counted = Omit<Dropped, 'reason'>;

/** What is in a segment from a place on, as far as it can be read. */
async function tally(segment: Segment, offset: number): Promise<Counted> {
  let [records, bytes, from] = [0, 0, segment.from];
  await using file = await open(segment.path);
  for await (const found of walk(new FrameReader(file, { origin: segment.origin }), segment.size)) {
    if (!('frame' in found) || found.frame.kind !== kinds.lines) continue;
    const { frame, payload } = found;
    const skipped = Math.max(0, offset - frame.offset);
    if (skipped >= payload.length) continue;
    if (records === 0) from = frame.time;
    records += skipped === 0 ? frame.records : countLines(payload, skipped);
    bytes += payload.length - skipped;
  }
  return { records, bytes, from, to: segment.to };
}

/** The frames of a segment with and without what may go. Neighbours of the same kind become one. */
class Sifting {
  readonly dropped = { records: 0, bytes: 0, from: 0, to: 0 };
  size = 0;
  readonly #segment: Segment;
  readonly #level: number;
  #gap: Header | undefined;

  constructor(segment: Segment, level: number) {
    this.#segment = segment;
    this.#level = level;
  }

  *sift(frame: Header, payload: Buffer): Generator<Buffer> {
    if (frame.kind === kinds.dropped) this.#widen(frame);
    if (frame.kind !== kinds.lines) return;
    let { before } = frame;
    for (let start = 0; start < payload.length; ) {
      const keeps = levelAt(payload, start) >= this.#level;
      let [end, records] = [start, 0];
      for (; end < payload.length && levelAt(payload, end) >= this.#level === keeps; records++)
        end = lineEnd(payload, end);
      const part = { ...frame, offset: frame.offset + start, before, records };
      const lines = payload.subarray(start, end);
      if (keeps) yield* this.#keep(part, lines);
      else this.#drop(part, lines.length);
      before += records;
      start = end;
    }
  }

  *end(): Generator<Buffer> {
    if (!this.#gap) return;
    yield this.#write(this.#gap, Buffer.alloc(0));
    this.#gap = undefined;
  }

  *#keep(header: Header, lines: Buffer): Generator<Buffer> {
    yield* this.end();
    yield this.#write(header, lines);
    yield lines;
  }

  #drop(header: Header, bytes: number): void {
    this.#widen({ ...header, kind: kinds.dropped, dropped: bytes });
    const { dropped } = this;
    if (dropped.records === 0) dropped.from = header.time;
    dropped.to = header.time;
    dropped.records += header.records;
    dropped.bytes += bytes;
  }

  #widen({ kind, offset, before, records, dropped, time }: Header): void {
    const gap = this.#gap;
    // Between two that are not neighbours is something damaged: that was not dropped.
    this.#gap = gap
      ? { ...gap, records: gap.records + records, dropped: offset + dropped - gap.offset, time }
      : { kind, offset, before, records, dropped, time };
  }

  #write(header: Header, payload: Buffer): Buffer {
    this.size += headerLength + payload.length;
    return encodeHeader(header, { payload, origin: this.#segment.origin });
  }
}
