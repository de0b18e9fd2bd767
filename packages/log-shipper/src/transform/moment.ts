// When a record came about, for what counts by time: a backlog that is read in a second was not written in one. Never later
// than now, or a single wrong time would stop the clock for all that come behind it.

import type { Records } from '../records.ts';

/** In milliseconds since the epoch. */
export function momentOf(records: Records, index: number): number {
  const { seconds, nanos } = records.time(index);
  return Math.min(seconds * 1000 + nanos / 1e6, records.readAt);
}
