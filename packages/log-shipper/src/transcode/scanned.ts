// What is known of a line that was scanned.

import { tokens } from './tape.ts';

/** Of the tape: for a line of 256 values. */
export const usual = tokens.width * 256;

export class Scanned {
  tape = new Int32Array(usual);
  /** How much of the tape is written. */
  length = 0;
  bytes: Buffer = Buffer.alloc(0);
  view = new DataView<ArrayBufferLike>(new ArrayBuffer(0));
  /** Where a line stopped making sense. */
  offset = 0;
  /** Where the members of the object start and end: behind its first brace, before its last. */
  first = 0;
  last = 0;
  /** Whether there are newlines between them. */
  broken = false;
  /** Where the members that are left out start and end, in pairs, and how long that list is. */
  readonly omitted: number[] = [];
  omissions = 0;
  /** Where the values of the watched keys start and end, in pairs; -1 where there is none. */
  readonly watched: Int32Array;

  constructor(watches: number) {
    this.watched = new Int32Array(2 * watches);
  }

  /** What the lines lie in. */
  read(bytes: Buffer): void {
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
