// A head that comes in pieces. It is read again from its start when a line has ended, and not for every piece: whoever
// sends it octet by octet must not make us read it thousands of times.

import { LF } from './octets.ts';

export class Fragments {
  readonly #parts: Buffer[] = [];
  #length = 0;

  /** @param first what was read and found to be incomplete; must not be overwritten. */
  constructor(first: Buffer) {
    this.#parts.push(first);
    this.#length = first.length;
  }

  /** Adds octets; returns all there are when reading them again may find more than before. */
  add(octets: Buffer, most: number): Buffer | undefined {
    this.#parts.push(octets);
    this.#length += octets.length;
    return octets.includes(LF) || this.#length >= most ? this.whole : undefined;
  }

  get length(): number {
    return this.#length;
  }

  get whole(): Buffer {
    if (this.#parts.length > 1) this.#parts.splice(0, this.#parts.length, Buffer.concat(this.#parts, this.#length));
    return this.#parts[0]!;
  }
}
