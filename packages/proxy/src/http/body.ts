// A body on its way: where it ends, and how its octets are framed for the other side.

import { Chunked, writeChunkSize } from './chunked.ts';
import type { Framing } from './framing.ts';
import { CR, LF } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

/** The frame around one run of data: size, CRLF, data, CRLF, and the last chunk. */
const mostFrame = 12 + 2 + 2 + 5;
const lastChunk = Buffer.from('0\r\n\r\n');

/** Reads one message's body. `pieces` holds the ranges of data that the last `read` found. */
export class Body {
  readonly pieces: number[] = [];
  refusal: Refusal | undefined;
  done = false;
  /** Octets of data so far. */
  length = 0;
  #remaining: number;
  readonly #chunked: Chunked | undefined;
  readonly #most: number;

  private constructor(remaining: number, chunked: Chunked | undefined, most: number) {
    this.#remaining = remaining;
    this.#chunked = chunked;
    this.#most = most;
    this.done = remaining === 0 && chunked === undefined;
  }

  static ofLength(length: number): Body {
    return new Body(length, undefined, Number.POSITIVE_INFINITY);
  }

  /** @param most octets of data, beyond which the body is refused. */
  static chunked(most = Number.POSITIVE_INFINITY): Body {
    return new Body(0, new Chunked(), most);
  }

  /** Ends when `end` says so: with the connection, or with the stream. @param most as for `chunked`. */
  static untilEnd(most = Number.POSITIVE_INFINITY): Body {
    return new Body(Number.POSITIVE_INFINITY, undefined, most);
  }

  get endsWithoutFrame(): boolean {
    return this.#remaining === Number.POSITIVE_INFINITY;
  }

  /** Reads buffer[from, end); returns the offset after what belongs to the body, or -1 when it is refused. */
  read(buffer: Buffer, from: number, end: number): number {
    const { pieces } = this;
    pieces.length = 0;
    if (this.#chunked) return this.#readChunked(this.#chunked, buffer, from, end);
    const stop = Math.min(end, from + this.#remaining);
    if (stop > from) pieces.push(from, stop);
    this.#remaining -= stop - from;
    this.length += stop - from;
    this.done = this.#remaining === 0;
    if (this.length <= this.#most) return stop;
    this.refusal = refusals.bodyLength;
    return -1;
  }

  /** Nothing more comes. */
  end(): void {
    this.pieces.length = 0;
    this.done = true;
  }

  #readChunked(chunked: Chunked, buffer: Buffer, from: number, end: number): number {
    const at = chunked.read(buffer, from, end, this.pieces);
    this.refusal = chunked.refusal;
    this.length += this.pending;
    if (this.length > this.#most) this.refusal = refusals.bodyLength;
    this.done = chunked.done;
    return this.refusal ? -1 : at;
  }

  /** Octets of data in `pieces`. */
  get pending(): number {
    let sum = 0;
    for (let i = 0; i < this.pieces.length; i += 2) sum += this.pieces[i + 1]! - this.pieces[i]!;
    return sum;
  }

  /** The data of the last `read` as a chunk of its own, with the last chunk after the end. */
  asChunk(buffer: Buffer): Buffer {
    const out = Buffer.allocUnsafe(this.mostWritten(true));
    return out.subarray(0, this.write(buffer, out, 0, true));
  }

  /** How many octets `write` may need. */
  mostWritten(asChunks: boolean): number {
    return this.pending + (asChunks ? mostFrame : 0);
  }

  /** Copies the data of the last `read` to `out` at `at`, as one chunk if wanted, and returns the offset after it. */
  write(buffer: Buffer, out: Buffer, at: number, asChunks: boolean): number {
    const { pieces, pending } = this;
    let to = asChunks && pending > 0 ? writeChunkSize(out, at, pending) : at;
    for (let i = 0; i < pieces.length; i += 2) to += buffer.copy(out, to, pieces[i]!, pieces[i + 1]!);
    if (!asChunks) return to;
    if (pending > 0) {
      out[to++] = CR;
      out[to++] = LF;
    }
    if (this.done) to += lastChunk.copy(out, to);
    return to;
  }
}

/** The body that a request's head announces. @param bare the protocol frames it (HTTP/2); @param most octets of data. */
export function bodyOf({ length, chunked }: Framing, bare: boolean, most: number | undefined): Body {
  if (!chunked) return Body.ofLength(Math.max(0, length));
  return bare ? Body.untilEnd(most) : Body.chunked(most);
}
