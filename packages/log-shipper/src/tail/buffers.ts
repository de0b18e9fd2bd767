// Where chunks are read to. Nobody knows how long a sink needs one: it is lent, and used again once it is given back.

import { reach } from './fingerprint.ts';

/** Given back by `release`, once. */
export type Lease = { readonly bytes: Buffer; release(): void };

const smallest = 0x400;

// What is read beside the window, to know the place: the head of the file and what lies before the position.
const slack = 2 * reach;

const roundUp = (size: number): number => Math.max(smallest, 2 ** Math.ceil(Math.log2(size)));

// How many windows are kept for the next chunks: one is being read while the one before is on its way.
const kept = 3;

export class Buffers {
  readonly #free = new Map<number, Buffer[]>();
  /** How many bytes a chunk may have. */
  readonly window: number;
  #idle = 0;

  constructor(window: number) {
    this.window = window;
  }

  /** As much as was asked for, no more: a file with one line in it does not cost a whole window. */
  lend(size: number): Lease {
    // All large ones are of one size, so that any of them will do.
    const room = size > this.window / 2 ? Math.max(size, this.window + slack) : roundUp(size);
    const body = this.#take(room);
    let lent = true;
    return {
      bytes: body.subarray(0, size),
      release: () => {
        if (lent) this.#putBack(body);
        lent = false;
      },
    };
  }

  #take(room: number): Buffer {
    const body = this.#free.get(room)?.pop();
    if (!body) return Buffer.allocUnsafeSlow(room);
    this.#idle -= room;
    return body;
  }

  #putBack(body: Buffer): void {
    if (this.#idle + body.length > kept * this.window) return;
    this.#idle += body.length;
    const free = this.#free.get(body.length);
    if (free) free.push(body);
    else this.#free.set(body.length, [body]);
  }
}
