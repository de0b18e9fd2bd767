// Records to batches: encoded once, small enough for any receiver, sent again as they are when it takes several attempts.

import { randomUUID } from 'node:crypto';
import { ByteWriter } from './byte-writer.ts';
import type { Encoding } from './encoding/encoding.ts';
import type { Records } from './parse.ts';

export type Batch = {
  /** The same in every attempt, so that a receiver can recognise one it has already. */
  readonly id: string;
  readonly bytes: Buffer;
  readonly records: number;
  /** How many bytes of the source it stands for. */
  readonly source: number;
  /** The bytes with something before and behind them, without a copy. */
  wrap(head: Buffer, tail: Buffer): Buffer;
  /** To be called once it is delivered, in the order of the batches. Its bytes are used again afterwards. */
  acknowledge(): void;
};

/** Encodes for one sink. There are never more buffers than batches under way, and each is used again and again. */
export class Encoder {
  readonly #encoding: Encoding;
  readonly #limit: number;
  readonly #free: ByteWriter[] = [];

  /** @param limit of a batch in bytes; exceeded only by a single record. */
  constructor(encoding: Encoding, limit: number) {
    this.#encoding = encoding;
    this.#limit = limit;
  }

  *encode(records: Records): Generator<Batch> {
    const { spans } = records.lines;
    const count = spans.length / 2;
    const write = this.#encoding(records);
    let into = this.#writer();
    let first = 0;
    for (let index = 0; index < count; index++) {
      const { at } = into;
      this.#writeOrExcuse(index, into, { write, records });
      if (into.length <= this.#limit || index === first) continue;
      const rest = into.cut(at);
      yield this.#batch(into, { records, first, end: index });
      first = index;
      into = this.#writer();
      into.copy(rest);
    }
    if (count > 0) yield this.#batch(into, { records, first, end: count });
    else this.#free.push(into);
  }

  #writer(): ByteWriter {
    return this.#free.pop() ?? new ByteWriter();
  }

  #batch(
    into: ByteWriter,
    { records: { lines }, first, end }: { records: Records; first: number; end: number },
  ): Batch {
    const { chunk, spans, length } = lines;
    const endsAt = end < spans.length / 2 ? spans[2 * end]! : length;
    const acknowledge = chunk.acknowledgement(endsAt);
    return {
      id: randomUUID(),
      bytes: into.written,
      records: end - first,
      source: endsAt - spans[2 * first]!,
      wrap: (head, tail) => into.wrap(head, tail),
      acknowledge: () => {
        acknowledge();
        into.reset();
        this.#free.push(into);
      },
    };
  }

  /** A record that the encoding cannot hold goes as the line that it was, with the reason. */
  #writeOrExcuse(index: number, into: ByteWriter, writing: { write: ReturnType<Encoding>; records: Records }): void {
    const { at } = into;
    try {
      writing.write(index, into);
    } catch (error) {
      into.at = at;
      const own = new Map([[index, { ...writing.records.own.get(index), parse_error: (error as Error).message }]]);
      this.#encoding({ ...writing.records, fields: [], own })(index, into);
    }
  }
}
