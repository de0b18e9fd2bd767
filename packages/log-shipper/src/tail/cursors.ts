// The positions of all sinks in one file.

import type { Cursor, Place } from '../ledger.ts';

export type Cursors = Map<string, Cursor>;

/** What every sink has acknowledged. */
export const furthestBack = (cursors: Cursors): number =>
  Math.min(...[...cursors.values()].map(({ acknowledged }) => acknowledged.offset));

/** What any sink has read. */
export const furthest = (cursors: Cursors): Place =>
  [...cursors.values()].map(({ read }) => read).reduce((a, b) => (b.offset > a.offset ? b : a));
