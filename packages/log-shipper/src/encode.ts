// Records to batches: encoded once, small enough for any receiver, sent again as they are when it takes several attempts.

import { Batch, type Part } from './batch.ts';
import { ByteWriter } from './byte-writer.ts';
import { type Encoding, writeOrExcuse } from './encoding/encoding.ts';
import { Numbers } from './numbers.ts';
import type { Records } from './records.ts';

export type BatchLimits = {
  /** Exceeded only by a single record. */
  readonly bytes: number;
  readonly records?: number;
};

/**
 * What a batch holds on to besides its own bytes: chunks, of which nothing may be shipped, or one line each. Both are
 * bounded, or a sink that is down would fill the memory with what it is not even to have.
 */
const held = { leastBytes: 0x100000, timesLimit: 4, chunks: 1024 };

/** Encodes for one sink. There are never more buffers than batches under way, and each is used again and again. */
export class Encoder {
  readonly #encoding: Encoding;
  readonly #limits: BatchLimits;
  readonly #free: ByteWriter[] = [];
  #into: ByteWriter | undefined;
  #offsets = Numbers.lend();
  #parts: Part[] = [];
  /** Bytes of the chunks that are released with the batch. */
  #held = 0;

  constructor(encoding: Encoding, limits: BatchLimits) {
    this.#encoding = encoding;
    this.#limits = limits;
  }

  /** Whether there is anything that no batch has yet. */
  get pending(): boolean {
    return this.#parts.length > 0;
  }

  /** The batches that are full; what is left waits for more. */
  *encode(records: Records): Generator<Batch> {
    const { count } = records;
    const { bytes: limit, records: most = Number.POSITIVE_INFINITY } = this.#limits;
    const write = this.#encoding(records);
    let into = this.#writer();
    let first = 0;
    let at = this.#offsets.length;
    let indices: number[] | undefined = records.anyDropped ? [] : undefined;
    const part = (end: number): Part => ({ records, at, indices, first, end, endsAt: endOf(records, end) });
    for (let index = 0; index < count; index++) {
      if (indices && records.dropped(index)) continue;
      if (!indices && write.run) {
        const offsets = this.#offsets;
        index += write.run(index, { into, offsets, room: limit - into.length, most: most - offsets.length });
        if (index === count) break;
      }
      const begun = into.at;
      writeOrExcuse(records, write, { index, into });
      const before = this.#offsets.length;
      if (before > 0 && (into.length > limit || before >= most)) {
        const rest = into.cut(begun);
        if (index > first) this.#parts.push(part(index));
        yield this.#close();
        into = this.#writer();
        into.copy(rest);
        [first, at, indices] = [index, 0, indices && []];
        this.#offsets.push(0);
      } else this.#offsets.push(into.lengthAt(begun));
      indices?.push(index);
    }
    if (count === 0) return records.release();
    this.#parts.push(part(count));
    this.#held += records.chunk.bytes.length;
    if (this.#holdsEnough) yield this.#close();
  }

  get #holdsEnough(): boolean {
    const most = Math.max(held.leastBytes, held.timesLimit * this.#limits.bytes);
    return this.#held >= most || this.#parts.length >= held.chunks;
  }

  /** What is left, as a batch of its own. */
  flush(): Batch | undefined {
    return this.pending ? this.#close() : undefined;
  }

  #writer(): ByteWriter {
    this.#into ??= this.#free.pop() ?? new ByteWriter();
    return this.#into;
  }

  #close(): Batch {
    const into = this.#writer();
    const [offsets, parts] = [this.#offsets, this.#parts];
    offsets.push(into.length);
    [this.#into, this.#offsets, this.#parts, this.#held] = [undefined, Numbers.lend(), [], 0];
    const release = () => {
      into.reset();
      this.#free.push(into);
      offsets.giveBack();
    };
    return Batch.of(into, offsets.values, { parts, release });
  }
}

/** Where in the chunk the records before that one end; all of it is accounted for with the last. */
const endOf = (records: Records, end: number): number => (end < records.count ? records.startOf(end) : records.length);
