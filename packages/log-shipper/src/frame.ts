// Bytes to lines. Stateless: what is not a whole line yet is not taken, and comes again when the file has grown.

import { Numbers } from './numbers.ts';
import { Records } from './records.ts';
import type { Chunk } from './source/source.ts';

const newline = 0x0a;

/** Of the chunk that is framed now: there is no waiting in between. */
const spans = new Numbers();

/** A line longer than `limit` is shipped in pieces: cutting it off would lose bytes, waiting for its end would need them all in memory. */
export function frame(chunk: Chunk, limit: number): Records {
  const { bytes, unfinished } = chunk;
  // Those that go on in the next record of the same file.
  const partial: number[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    const stop = end === -1 ? bytes.length : end;
    while (stop - start > limit) {
      const cut = characterStart(bytes, start, start + limit);
      partial.push(spans.length / 2);
      spans.push(start);
      spans.push(cut);
      start = cut;
    }
    if (end === -1) break;
    spans.push(start);
    spans.push(end);
    start = end + 1;
  }
  if (start < bytes.length && unfinished !== 'held') {
    if (unfinished === 'part') partial.push(spans.length / 2);
    spans.push(start);
    spans.push(bytes.length);
    start = bytes.length;
  }
  chunk.take(start);
  const records = new Records({ chunk, spans: spans.take(), length: start });
  for (const index of partial) records.own.set(index, { partial: true });
  records.pieces = partial.length;
  return records;
}

/** Where to cut so that no UTF-8 sequence is torn: at most three bytes earlier. */
function characterStart(bytes: Buffer, start: number, cut: number): number {
  for (let at = cut; at > cut - 4 && at > start; at--) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return cut;
}
