// Which keys the objects of one line have had, by their hashes: what a Set of strings would say, without strings. It is
// searched where the keys are read, since a call for each would take a tenth of the time of a line.

const size = 2048;
/** A line of more keys than that is rare, and is read in another way. */
export const mostKeys = size / 2;
/** Keys that were chosen to meet in one place would cost more than strings do. */
export const patience = 16;

export const slotOf = (hash: number): number => (hash ^ (hash >>> 16)) & (size - 1);
export const nextSlot = (slot: number): number => (slot + 1) & (size - 1);

export class KeySet {
  // A slot holds the number of a key, counted on from line to line, so that nothing has to be wiped for the next line.
  readonly slots = new Int32Array(size).fill(-1);
  readonly hashes = new Int32Array(mostKeys);
  /** Number of the first key of this line. */
  first = 0;
  count = 0;
  #objects = 0;

  clear(): void {
    this.first += this.count;
    this.count = 0;
    this.#objects = 0;
    if (this.first < 1 << 30) return;
    this.first = 0;
    this.slots.fill(-1);
  }

  /** Keys of an object, by their hashes, that are known to differ from one another. Returns how many keys there are. */
  insert(hashes: Int32Array, count: number, object: number): number {
    for (let at = 0; at < count && this.count < mostKeys; at++) {
      const whose = hashes[at]! ^ object;
      let slot = slotOf(whose);
      while (this.slots[slot]! >= this.first) slot = nextSlot(slot);
      this.slots[slot] = this.first + this.count;
      this.hashes[this.count++] = whose;
    }
    return this.count;
  }

  /** A name for one more object: the same key in another is another key. */
  object(): number {
    return Math.imul(++this.#objects, 0x9e3779b1);
  }
}
