// How far one sink has come in the queue, in bytes of lines.

/** So many bytes of lines are before it in its segment. */
export type Place = { readonly segment: number; readonly offset: number };

export class Cursor {
  /** Where it reads next. */
  read: Place;
  /** Where the next start goes on. */
  acknowledged: Place;
  /** Since this start. What is under way is the difference of the first two; the others will never be read. */
  readonly bytes = { read: 0, acknowledged: 0, oldest: 0, level: 0, damaged: 0 };
  /** Records that have been damaged. */
  damagedRecords = 0;

  constructor(from: Place) {
    this.read = from;
    this.acknowledged = from;
  }

  go(to: Place): void {
    this.read = to;
    this.#settle();
  }

  acknowledge(place: Place, bytes: number): void {
    this.bytes.acknowledged += bytes;
    this.acknowledged = place;
    this.#settle();
  }

  /** With nothing under way, what lies between the last acknowledged byte and the next to be read is of no interest. */
  #settle(): void {
    if (this.bytes.acknowledged === this.bytes.read) this.acknowledged = this.read;
  }
}
