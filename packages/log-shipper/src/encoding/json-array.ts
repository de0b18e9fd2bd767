// Arrays of records that have a comma behind each.

import type { Batch } from '../batch.ts';

/**
 * Records with a comma behind each, within an array. The last comma becomes a space, where the batch lies: it stays the
 * last of whatever pieces are made of the batch.
 */
export function withinArray(batch: Pick<Batch, 'wrap'>, head: Buffer, tail: Buffer): Buffer {
  const whole = batch.wrap(head, tail);
  whole[whole.length - tail.length - 1] = 0x20;
  return whole;
}
