// The frames of a segment one after the other. What lies in memory is decoded without waiting: a frame may hold one short
// line, and a promise for each would cost more than the rest.

import type { FileHandle } from 'node:fs/promises';
import { decodeFrame, type Frame, frameLength, headerLength, magic } from './frame-format.ts';

/** How much is read at once, unless a frame is longer. */
const window = 0x40000;

export class FrameReader {
  readonly #file: FileHandle;
  #buffer = Buffer.alloc(0);
  /** What of the buffer is filled, and where in the file that begins. */
  #filled = 0;
  #from: number;
  /** Where the next frame is expected in the file. */
  position: number;
  /** Whose frames count; taken from the first that is good when not known. */
  origin: Buffer | undefined;

  constructor(file: FileHandle, { position = 0, origin }: { position?: number; origin?: Buffer | undefined } = {}) {
    this.#file = file;
    this.position = position;
    this.#from = position;
    this.origin = origin;
  }

  /** The buffer that frames point into, until the next `fill`. */
  get bytes(): Buffer {
    return this.#buffer;
  }

  /**
   * What is at the position in a file that is valid up to `end`. 'more': it has to be read first. A frame stays next until
   * `pass` is called.
   */
  next(end: number): Frame | 'more' | 'bad' | 'end' {
    const left = end - this.position;
    if (left <= 0) return 'end';
    if (left < headerLength) return 'bad';
    const at = this.position - this.#from;
    const ready = this.#filled - at;
    if (ready < headerLength) return 'more';
    const length = frameLength(this.#buffer, at);
    if (length === undefined || length > left) return 'bad';
    if (ready < length) return 'more';
    const frame = decodeFrame(this.#buffer, at, this.origin);
    if (!frame) return 'bad';
    this.origin ??= Buffer.from(this.#buffer.subarray(at + 40, at + 48));
    return frame;
  }

  pass({ start, end }: Frame): void {
    this.position += headerLength + end - start;
  }

  /** Reads on, at least as much as the next frame needs. Returns false when the file is shorter than it should be. */
  async fill(end: number): Promise<boolean> {
    const at = this.position - this.#from;
    const kept = Math.max(0, this.#filled - at);
    const needed = kept >= headerLength ? (frameLength(this.#buffer, at) ?? headerLength) : headerLength;
    // Not all of the window for the few lines of a quiet application.
    const size = Math.min(Math.max(window, needed), end - this.position);
    const rest = this.#buffer.subarray(at, at + kept);
    if (this.#buffer.length < size) this.#buffer = Buffer.concat([rest], Math.max(size, 0x4000));
    else rest.copy(this.#buffer);
    this.#from = this.position;
    this.#filled = kept;
    let grown = false;
    while (this.#filled < size) {
      const { bytesRead } = await this.#file.read(
        this.#buffer,
        this.#filled,
        size - this.#filled,
        this.#from + this.#filled,
      );
      if (bytesRead === 0) break;
      this.#filled += bytesRead;
      grown = true;
    }
    return grown;
  }

  /** Goes to the next frame that is whole, or to the end. What was skipped is no frame. */
  async resync(end: number): Promise<void> {
    this.position++;
    for (;;) {
      const at = this.position - this.#from;
      const found = at < this.#filled ? this.#buffer.subarray(0, this.#filled).indexOf(magic, at) : -1;
      // The first bytes of one may be the last that are here.
      const next = found === -1 ? Math.max(this.position, this.#from + this.#filled - 3) : this.#from + found;
      this.position = Math.min(next, end);
      if (end - this.position < headerLength) this.position = end;
      if (this.position === end) return;
      if (found === -1) {
        if (!(await this.fill(end))) this.position = end;
        continue;
      }
      const here = this.next(end);
      if (typeof here === 'object') return;
      if (here === 'more' && (await this.fill(end))) continue;
      this.position++;
    }
  }
}

export type Found =
  | { readonly frame: Frame; readonly payload: Buffer; readonly position: number }
  | { readonly bad: true; readonly position: number; readonly end: number };

/** All there is in a file, what is no frame included. A payload is valid until the next is asked for. */
export async function* walk(reader: FrameReader, end: number): AsyncGenerator<Found> {
  for (;;) {
    const next = reader.next(end);
    const { position } = reader;
    if (next === 'end') return;
    if (typeof next === 'object') {
      yield { frame: next, payload: reader.bytes.subarray(next.start, next.end), position };
      reader.pass(next);
    } else if (next === 'bad' || !(await reader.fill(end))) {
      await reader.resync(end);
      yield { bad: true, position, end: reader.position };
    }
  }
}
