// The keys that the line before had, in their order: most lines have the same, and comparing one with what is expected is
// half the cost of looking for its end, hashing it and asking whether it was there before.

import type { Name } from './names.ts';

const mostKeys = 64;
const mostWords = 512;
/** So many lines in a row that have other keys have others for good. */
const enough = 16;

/** Where a key is, without its quotes, and what was found out about it. */
type Key = {
  readonly view: DataView;
  readonly from: number;
  readonly to: number;
  readonly hash: number;
  readonly name: Name | undefined;
};

export class Shape {
  /** Of all keys, one behind the other, each with the quote behind it. */
  readonly words = new Int32Array(mostWords);
  /** Where the words of each begin, and where those of the last end. */
  readonly starts = new Int32Array(mostKeys + 1);
  /** Which bits of the last word of each are its own. */
  readonly masks = new Int32Array(mostKeys);
  /** In bytes, without the quote. */
  readonly lengths = new Int32Array(mostKeys);
  readonly hashes = new Int32Array(mostKeys);
  readonly names: (Name | undefined)[] = new Array<Name | undefined>(mostKeys).fill(undefined);
  count = 0;

  #misses = enough;

  /** A line had these keys and no others. */
  holds(): void {
    this.#misses = 0;
  }

  /** A line has others. Whether it is time to expect those: noting them costs more than reading them. */
  learns(): boolean {
    if (this.#misses++ < enough) return false;
    this.#misses = 0;
    return true;
  }

  /** Whether the bytes from a place on, up to `stop` and four more, are the key that is expected there, and a quote. */
  isNext(view: DataView, from: number, stop: number, place: number): boolean {
    if (place >= this.count) return false;
    const { words } = this;
    const last = this.starts[place + 1]! - 1;
    let word = this.starts[place]!;
    let at = from;
    if (at + 4 * (last - word) > stop) return false;
    for (; word < last; word++, at += 4) if (view.getInt32(at, true) !== words[word]) return false;
    return (view.getInt32(at, true) & this.masks[place]!) === words[word];
  }

  /** A key that differs from all before it is expected at this place from now on, and what was behind it no longer. */
  expect(place: number, { view, from, to, hash, name }: Key): void {
    // One before it could not be noted: nobody compared those that are noted with this one.
    if (place > this.count) return;
    this.count = place;
    const start = this.starts[place]!;
    // With the quote.
    const length = to + 1 - from;
    const end = start + ((length + 3) >> 2);
    if (place === mostKeys || end > mostWords || from + 4 * (end - start) > view.byteLength) return;
    for (let word = start; word < end; word++) this.words[word] = view.getInt32(from + 4 * (word - start), true);
    this.masks[place] = -1 >>> (32 * (end - start) - 8 * length);
    this.words[end - 1]! &= this.masks[place]!;
    this.starts[place + 1] = end;
    this.lengths[place] = to - from;
    this.hashes[place] = hash;
    this.names[place] = name;
    this.count = place + 1;
  }
}
