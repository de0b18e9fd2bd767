// Bytes to lines. Stateless: what is not a whole line yet is not taken, and comes again when the file has grown.

import type { Chunk } from './source/source.ts';

export type Lines = {
  readonly chunk: Chunk;
  /** Start and end of each line in the chunk's bytes, in pairs and without its newline: numbers, so that a line costs no object. */
  readonly spans: readonly number[];
  /** Indices of lines that go on in the next record of the same file. */
  readonly partial: ReadonlySet<number>;
  /** How many bytes of the chunk the lines take, newlines included. */
  readonly length: number;
};

const newline = 0x0a;

/** A line longer than `limit` is shipped in pieces: cutting it off would lose bytes, waiting for its end would need them all in memory. */
export function frame(chunk: Chunk, limit: number): Lines {
  const { bytes, unfinished } = chunk;
  const spans: number[] = [];
  const partial = new Set<number>();
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    const stop = end === -1 ? bytes.length : end;
    while (stop - start > limit) {
      const cut = characterStart(bytes, start, start + limit);
      partial.add(spans.length / 2);
      spans.push(start, cut);
      start = cut;
    }
    if (end === -1) break;
    spans.push(start, end);
    start = end + 1;
  }
  if (start < bytes.length && unfinished !== 'held') {
    if (unfinished === 'part') partial.add(spans.length / 2);
    spans.push(start, bytes.length);
    start = bytes.length;
  }
  chunk.take(start);
  return { chunk, spans, partial, length: start };
}

/** Where to cut so that no UTF-8 sequence is torn: at most three bytes earlier. */
function characterStart(bytes: Buffer, start: number, cut: number): number {
  for (let at = cut; at > cut - 4 && at > start; at--) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return cut;
}
