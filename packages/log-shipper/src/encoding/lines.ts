// The lines of records as UTF-8, where they lie: one that is not would make a whole batch unreadable.

import { isUtf8 } from 'node:buffer';
import type { Records } from '../records.ts';

export class Lines {
  /** Where the line is that was asked for last. */
  bytes: Buffer;
  start = 0;
  end = 0;
  readonly #records: Records;
  readonly #sound: boolean;
  /** The line that was repaired last. */
  #repaired = -1;

  constructor(records: Records) {
    const { bytes, spans, count } = records;
    this.#records = records;
    this.bytes = bytes;
    // One check for all lines; single ones are looked at only when it fails.
    this.#sound = count === 0 || isUtf8(bytes.subarray(spans[0], spans[2 * count - 1]));
  }

  /** Whether all that lie where they were read are UTF-8; those that were changed may still not be. */
  get sound(): boolean {
    return this.#sound;
  }

  at(index: number): void {
    const { bytes, spans, replaced } = this.#records;
    if (this.#sound && replaced === undefined) {
      this.start = spans[2 * index]!;
      this.end = spans[2 * index + 1]!;
      return;
    }
    const line = replaced?.get(index);
    this.bytes = line ?? bytes;
    this.start = line ? 0 : spans[2 * index]!;
    this.end = line ? line.length : spans[2 * index + 1]!;
    if (line || !this.#sound) this.#repair(index);
  }

  /** U+FFFD for what is not UTF-8. */
  #repair(index: number): void {
    const line = this.bytes.subarray(this.start, this.end);
    if (isUtf8(line)) return;
    this.bytes = Buffer.from(line.toString());
    this.start = 0;
    this.end = this.bytes.length;
    // One that turns out to be no JSON is asked for twice.
    if (index !== this.#repaired) this.#records.repaired++;
    this.#repaired = index;
  }
}
