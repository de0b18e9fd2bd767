// Bytes that are in no one place of a chunk: unescaped lines, pieces put together. They are thought to lie behind the
// chunk's own, so that a span says where it is by itself; the two become one buffer only when there are any.

export class Tail {
  readonly #bytes: Buffer;
  #own = Buffer.alloc(0);
  #used = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Where the next byte will be. */
  get end(): number {
    return this.#bytes.length + this.#used;
  }

  /** Room for so many bytes, from `at` on; `advance` says how many it became. */
  room(length: number): { into: Buffer; at: number } {
    if (this.#used + length > this.#own.length) {
      // A quarter of the chunk to begin with: as a rule few lines need it.
      const larger = Buffer.allocUnsafe(Math.max(this.#used + length, 2 * this.#own.length, this.#bytes.length >> 2));
      this.#own.copy(larger, 0, 0, this.#used);
      this.#own = larger;
    }
    return { into: this.#own, at: this.#used };
  }

  advance(length: number): void {
    this.#used += length;
  }

  copy(from: number, to: number): void {
    const { into, at } = this.room(to - from);
    const behind = this.#bytes.length;
    if (from >= behind) into.copyWithin(at, from - behind, to - behind);
    else this.#bytes.copy(into, at, from, to);
    this.#used += to - from;
  }

  byte(value: number): void {
    const { into, at } = this.room(1);
    into[at] = value;
    this.#used++;
  }

  /** A byte of the chunk or of these. */
  at(position: number): number | undefined {
    const behind = this.#bytes.length;
    return position < behind ? this.#bytes[position] : this.#own[position - behind];
  }

  whole(): Buffer {
    return this.#used === 0 ? this.#bytes : Buffer.concat([this.#bytes, this.#own.subarray(0, this.#used)]);
  }
}

const newline = 0x0a;

/** What makes up one record, from its first byte to its last. */
export class Pieces {
  /** In pairs. Those that lie side by side are one: then nothing is copied. */
  readonly #spans: number[] = [];
  readonly #between: boolean;
  size = 0;

  /** @param lines whether the pieces are lines, with newlines between them. */
  constructor({ lines }: { lines: boolean }) {
    this.#between = lines;
  }

  add(from: number, to: number, tail: Tail): void {
    const spans = this.#spans;
    const last = spans.at(-1);
    const beside = this.#between ? last === from - 1 && tail.at(from - 1) === newline : last === from;
    if (beside) spans[spans.length - 1] = to;
    else spans.push(from, to);
    this.size += to - from + (last !== undefined && this.#between ? 1 : 0);
  }

  /** In one piece. */
  join(tail: Tail): { from: number; to: number } {
    const spans = this.#spans;
    if (spans.length === 2) return { from: spans[0]!, to: spans[1]! };
    const from = tail.end;
    for (let at = 0; at < spans.length; at += 2) {
      if (at > 0 && this.#between) tail.byte(newline);
      tail.copy(spans[at]!, spans[at + 1]!);
    }
    return { from, to: tail.end };
  }
}
