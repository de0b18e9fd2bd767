// What the producer says about each file before and after it does it. Written with one call per entry, and the page cache
// outlives the producer: what it has done is known when it is killed.

import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

export type Entry =
  /** A file for the lines that follow. */
  | { readonly did: 'open'; readonly inode: string }
  /** About to write these lines; the last of them in two goes where it is halved. */
  | { readonly did: 'write'; readonly from: number; readonly count: number; readonly halved: boolean }
  /** That is written. */
  | { readonly did: 'written'; readonly bytes: number }
  /** Killed while it wrote, it has found so many of the lines whole; of the next, it found so many bytes and ended them with a newline. */
  | { readonly did: 'mend'; readonly count: number; readonly torn: number; readonly bytes: number }
  | { readonly did: 'rename' }
  | { readonly did: 'renamed' }
  | { readonly did: 'copy'; readonly number: number }
  /** The copy is in a file of its own, and the lines that follow are at the beginning of the file again. */
  | { readonly did: 'copied'; readonly inode: string };

export const journalOf = (directory: string, file: number): string => join(directory, `journal-${file}`);

/** Reads lines of a file that grows, each once it is whole. */
export class Tail {
  readonly path: string;
  readonly #buffer = Buffer.alloc(0x40000);
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  next(): string[] {
    if (!existsSync(this.path)) return [];
    const lines: string[] = [];
    const fd = openSync(this.path, 'r');
    try {
      for (;;) {
        const length = readSync(fd, this.#buffer, 0, this.#buffer.length, this.#offset);
        if (length === 0) return lines;
        this.#offset += length;
        this.#take(this.#buffer.subarray(0, length), lines);
      }
    } finally {
      closeSync(fd);
    }
  }

  #take(bytes: Buffer, lines: string[]): void {
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end === 0) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return;
    }
    lines.push(
      ...Buffer.concat([this.#rest, bytes.subarray(0, end - 1)])
        .toString()
        .split('\n'),
    );
    this.#rest = Buffer.from(bytes.subarray(end));
  }
}
