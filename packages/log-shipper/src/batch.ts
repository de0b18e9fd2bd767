// Records of one or more chunks, encoded: what a sink writes, as a whole or in pieces, as often as it takes.

import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ByteWriter } from './byte-writer.ts';
import { formatInstant } from './encoding/instant.ts';
import type { Settled } from './ledger.ts';
import type { DropReason, Fields, Records } from './records.ts';

/** What a batch has of one chunk. */
export type Part = {
  readonly records: Records;
  /** The first of its records in the batch. */
  readonly at: number;
  /** Which of the chunk's records they are; absent where there is none missing between `first` and `end`. */
  readonly indices: readonly number[] | undefined;
  readonly first: number;
  readonly end: number;
  /** Where in the chunk what it stands for ends. */
  readonly endsAt: number;
};

/** Where a record comes from, and what it is. */
export type Provenance = {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly uid: string;
  /** When it was written, RFC 3339. */
  readonly time: string;
  /** OTLP's severityNumber; 0 where it is unknown. */
  readonly level: number;
  readonly fields: Fields;
};

type Held = {
  readonly parts: readonly Part[];
  /** Bytes of the source that the receiver refused for good, by part. */
  readonly dead: Map<Part, number>;
  readonly acknowledgements: readonly (() => void)[];
};

export class Batch {
  /** The same in every attempt, so that a receiver can recognise what it has already. */
  readonly id: string;
  readonly bytes: Buffer;
  /** Where each record begins in `bytes`, and where the last one ends. */
  readonly offsets: Uint32Array;
  readonly #into: ByteWriter | undefined;
  readonly #held: Held;
  /** Which of the batch's records they are; absent where it is all of them. */
  readonly #picked: readonly number[] | undefined;

  private constructor(batch: {
    id: string;
    bytes: Buffer;
    offsets: Uint32Array;
    into?: ByteWriter;
    held: Held;
    picked?: readonly number[];
  }) {
    this.id = batch.id;
    this.bytes = batch.bytes;
    this.offsets = batch.offsets;
    this.#into = batch.into;
    this.#held = batch.held;
    this.#picked = batch.picked;
  }

  /** @param release called once it is acknowledged: its bytes are used again. */
  static of(into: ByteWriter, offsets: Uint32Array, { parts, release }: { parts: Part[]; release: () => void }) {
    const dead = new Map<Part, number>();
    // Prepared while the chunk's bytes are sure to be what was read.
    const acknowledgements = parts.map((part) => {
      const { chunk, count } = part.records;
      const acknowledge = chunk.acknowledgement(part.endsAt);
      return () => {
        acknowledge(settledOf(part, dead.get(part) ?? 0));
        // Until now a record may have had to be shown, or to be written in another way.
        if (part.end === count) part.records.release();
      };
    });
    const held = { parts, dead, acknowledgements: [...acknowledgements, release] };
    return new Batch({ id: randomUUID(), bytes: into.written, offsets, into, held });
  }

  /** How many. None where all of a chunk was dropped: then it only waits for its turn to be acknowledged. */
  get records(): number {
    return this.offsets.length - 1;
  }

  /** How many bytes of the source the records were. */
  get source(): number {
    let bytes = 0;
    if (!this.#picked) {
      for (const part of this.#held.parts) bytes += settledOf(part, 0).delivered;
      return bytes;
    }
    for (let index = 0; index < this.records; index++) {
      const [records, at] = this.#find(index);
      bytes += records.endOf(at) - records.startOf(at);
    }
    return bytes;
  }

  /** Bytes of the source that are not to be shipped, by reason. */
  get dropped(): Settled['dropped'] {
    const dropped: Partial<Record<DropReason, number>> = {};
    for (const part of this.#held.parts)
      for (const [reason, bytes] of Object.entries(settledOf(part, 0).dropped) as [DropReason, number][])
        dropped[reason] = (dropped[reason] ?? 0) + bytes;
    return dropped;
  }

  /** The bytes with something before and behind them; without a copy where there is room. */
  wrap(head: Buffer, tail: Buffer): Buffer {
    return this.#into?.wrap(head, tail) ?? Buffer.concat([head, this.bytes, tail]);
  }

  /** Some of its records in a row, where they lie. */
  slice(from: number, to: number): Batch {
    const base = this.offsets[from]!;
    return this.#piece({
      id: `${this.id}/${from}-${to}`,
      bytes: this.bytes.subarray(base, this.offsets[to]),
      offsets: this.offsets.subarray(from, to + 1).map((offset) => offset - base),
      picked: Array.from({ length: to - from }, (_, index) => from + index),
    });
  }

  /** Some of its records, as a copy. */
  pick(indices: readonly number[]): Batch {
    const records = indices.map((index) => this.bytes.subarray(this.offsets[index], this.offsets[index + 1]));
    const offsets = new Uint32Array(records.length + 1);
    for (const [index, { length }] of records.entries()) offsets[index + 1] = offsets[index]! + length;
    const id = `${this.id}/${crc32(indices.join()).toString(36)}`;
    return this.#piece({ id, bytes: Buffer.concat(records), offsets, picked: indices });
  }

  #piece(piece: { id: string; bytes: Buffer; offsets: Uint32Array; picked: readonly number[] }): Batch {
    const picked = this.#picked ? piece.picked.map((index) => this.#picked![index]!) : piece.picked;
    return new Batch({ ...piece, picked, held: this.#held });
  }

  #find(index: number): [Records, number, Part] {
    const whole = this.#picked?.[index] ?? index;
    const { parts } = this.#held;
    // Few: a batch of many small chunks has some hundreds, and one that matters for speed has one or two.
    const part = parts.findLast(({ at }) => at <= whole)!;
    return [part.records, part.indices?.[whole - part.at] ?? part.first + whole - part.at, part];
  }

  /** An id that is the same whenever and by whomever the record is shipped: its source, its place in it, its content. */
  uid(index: number): string {
    const [records, at] = this.#find(index);
    return uidOf(records, at);
  }

  /** The indices of its records by tag, each in their order; undefined where no record has one. */
  byTag(): Map<string | undefined, number[]> | undefined {
    if (!this.#held.parts.some(({ records }) => records.tags)) return undefined;
    const tags = new Map<string | undefined, number[]>();
    for (let index = 0; index < this.records; index++) {
      const [records, at] = this.#find(index);
      const tag = records.tags?.[at];
      const indices = tags.get(tag);
      if (indices) indices.push(index);
      else tags.set(tag, [index]);
    }
    return tags;
  }

  provenance(index: number): Provenance {
    const [records, at] = this.#find(index);
    const start = records.startOf(at);
    return {
      path: records.chunk.path,
      offset: records.chunk.offset + records.originOf(at),
      length: records.endOf(at) - start,
      uid: uidOf(records, at),
      time: String(formatInstant(records.time(at), 'rfc3339')),
      level: records.level(at),
      fields: records.object(at),
    };
  }

  /** The receiver has refused a record for good. */
  bury(index: number): void {
    const [records, at, part] = this.#find(index);
    const { dead } = this.#held;
    dead.set(part, (dead.get(part) ?? 0) + records.endOf(at) - records.startOf(at));
  }

  /** To be called for a whole batch, once all of it is delivered or buried, in the order of the batches. */
  acknowledge(): void {
    for (const acknowledge of this.#held.acknowledgements) acknowledge();
  }
}

export function uidOf(records: Records, index: number): string {
  const { chunk, uids } = records;
  if (uids) return uids[index]!;
  const offset = (chunk.offset + records.originOf(index)).toString(36);
  return `${chunk.origin}-${offset}-${crc32(records.line(index)).toString(36)}`;
}

/** What became of the bytes that a part stands for. */
function settledOf({ records, first, end }: Part, dead: number): Settled {
  if (first === end) return { delivered: 0, dead, dropped: {} };
  const all = records.endOf(end - 1) - records.startOf(first);
  const dropped: Partial<Record<DropReason, number>> = {};
  let gone = dead;
  if (records.anyDropped)
    for (let index = first; index < end; index++) {
      const reason = records.dropped(index);
      if (!reason) continue;
      const bytes = records.endOf(index) - records.startOf(index);
      dropped[reason] = (dropped[reason] ?? 0) + bytes;
      gone += bytes;
    }
  return { delivered: all - gone, dead, dropped };
}
