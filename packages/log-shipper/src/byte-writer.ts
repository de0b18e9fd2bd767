// A buffer that grows: records are written one behind the other without an object or a copy each.

// Room before and behind what is written, so that a sink can put a header and a trailer around it in place.
const before = 256;
const behind = 128;

/** Bytes that are written again and again. */
export class Stamp {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

export const stampOf = (text: string): Stamp => new Stamp(Buffer.from(text));

export class ByteWriter {
  #bytes: Buffer;
  #view: DataView | undefined;
  /** Where the next byte goes, in the buffer that `reserve` gives. */
  at = before;

  constructor(size = 0x4000) {
    this.#bytes = Buffer.allocUnsafeSlow(before + size + behind);
  }

  get length(): number {
    return this.at - before;
  }

  /** How much was written before a place. */
  lengthAt(at: number): number {
    return at - before;
  }

  /** Room for `count` more bytes from `at` on. The caller advances `at`. */
  reserve(count: number): Buffer {
    const needed = this.at + count + behind;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.at);
      this.#bytes = grown;
      this.#view = undefined;
    }
    return this.#bytes;
  }

  /** The buffer that `reserve` gave last, for words of several bytes. */
  get view(): DataView {
    this.#view ??= new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    return this.#view;
  }

  byte(value: number): void {
    this.reserve(1)[this.at++] = value;
  }

  copy(from: Buffer, start = 0, end = from.length): void {
    this.at += from.copy(this.reserve(end - start), this.at, start, end);
  }

  /** The same of few bytes: up to some dozens, a loop is faster than a call into the runtime. */
  short(from: Buffer): void {
    const { length } = from;
    const into = this.reserve(length);
    let { at } = this;
    for (let p = 0; p < length; p++) into[at++] = from[p]!;
    this.at = at;
  }

  /** The same of few bytes that are written often: for up to some dozens, a loop over words is faster than one over bytes. */
  stamp({ bytes, view }: Stamp): void {
    const { length } = bytes;
    this.reserve(length);
    const room = this.view;
    const { at } = this;
    let p = 0;
    for (; p + 8 <= length; p += 8) room.setBigInt64(at + p, view.getBigInt64(p, true), true);
    for (; p < length; p++) room.setUint8(at + p, bytes[p]!);
    this.at = at + length;
  }

  text(text: string): void {
    // No UTF-16 unit takes more than three bytes.
    const into = this.reserve(text.length * 3);
    this.at += into.write(text, this.at);
  }

  /** What was written, where it lies. */
  get written(): Buffer {
    return this.#bytes.subarray(before, this.at);
  }

  /** What was written with something before and behind it, without a copy where there is room. */
  wrap(head: Buffer, tail: Buffer): Buffer {
    if (head.length > before || tail.length > behind) return Buffer.concat([head, this.written, tail]);
    head.copy(this.#bytes, before - head.length);
    tail.copy(this.#bytes, this.at);
    return this.#bytes.subarray(before - head.length, this.at + tail.length);
  }

  /** Takes back what was written from a place on, as a copy. */
  cut(at: number): Buffer {
    const rest = Buffer.from(this.#bytes.subarray(at, this.at));
    this.at = at;
    return rest;
  }

  /** Forgets what was written and keeps the room. */
  reset(): void {
    this.at = before;
  }
}
