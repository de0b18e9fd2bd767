// How far one sink has come in the queue, in bytes of lines.

import type { Settled } from '../ledger.ts';
import type { DropReason } from '../records.ts';

/** So many bytes of lines are before it in its segment. */
export type Place = { readonly segment: number; readonly offset: number };

export class Cursor {
  /** Where it reads next. */
  read: Place;
  /** Where the next start goes on. */
  acknowledged: Place;
  /** Since this start. What is under way is the difference of the first two; the others will never be read. */
  readonly bytes = { read: 0, acknowledged: 0, oldest: 0, level: 0, damaged: 0 };
  /** What became of those that were acknowledged. */
  delivered = 0;
  dead = 0;
  readonly #dropped: Partial<Record<DropReason, number>> = {};
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

  acknowledge(place: Place, bytes: number, { delivered, dead, dropped }: Settled): void {
    this.bytes.acknowledged += bytes;
    this.acknowledged = place;
    this.delivered += delivered;
    this.dead += dead;
    for (const [reason, count] of Object.entries(dropped) as [DropReason, number][])
      this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.#settle();
  }

  /** By this sink's rules and by the queue. */
  get dropped(): Partial<Record<DropReason, number>> {
    const { oldest, level } = this.bytes;
    const all = { ...this.#dropped };
    if (oldest > 0) all.oldest = (all.oldest ?? 0) + oldest;
    if (level > 0) all.level = (all.level ?? 0) + level;
    return all;
  }

  /** With nothing under way, what lies between the last acknowledged byte and the next to be read is of no interest. */
  #settle(): void {
    if (this.bytes.acknowledged === this.bytes.read) this.acknowledged = this.read;
  }
}
