// Bytes to records of a line each. Stateless: what is not a whole line yet is not taken, and comes again when the file has
// grown.

import { split, stripReturns } from './join/split.ts';
import { Numbers } from './numbers.ts';
import { Records } from './records.ts';
import type { Chunk } from './source/source.ts';

export type Framing = {
  /** Longest line; a longer one is shipped in pieces. */
  readonly limit: number;
  /** Whether a carriage return before the newline belongs to the end of the line. */
  readonly stripReturn?: boolean;
};

export function frame(chunk: Chunk, { limit, stripReturn = false }: Framing): Records {
  const partial = new Set<number>();
  const found = Numbers.lend();
  const length = split(chunk, limit, found, partial);
  const spans = found.values;
  if (stripReturn) stripReturns(chunk.bytes, spans, partial);
  chunk.take(length);
  const records = new Records({ chunk, spans, length, free: () => found.giveBack() });
  for (const index of partial) records.own.set(index, { partial: true });
  records.pieces = partial.size;
  return records;
}
