// Bytes to lines, which is where everything begins.

import type { Source } from './join.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

type Collected = { push(start: number, end: number): unknown; readonly length: number };

/**
 * Puts the start and end of each line into `spans`, and the indices of those that go on in the next into `partial`. A line
 * longer than `limit` goes in pieces: cutting it off would lose bytes, waiting for its end would need them all in memory.
 * Returns up to where: what is not a whole line yet is not taken.
 */
export function split({ bytes, unfinished }: Source, limit: number, spans: Collected, partial: Set<number>): number {
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
  if (start === bytes.length || unfinished === 'held') return start;
  if (unfinished === 'part') partial.add(spans.length / 2);
  spans.push(start, bytes.length);
  return bytes.length;
}

/** Where to cut so that no UTF-8 sequence is torn: at most three bytes earlier. */
function characterStart(bytes: Buffer, start: number, cut: number): number {
  for (let at = cut; at > cut - 4 && at > start; at--) if ((bytes[at]! & 0xc0) !== 0x80) return at;
  return cut;
}

/** Takes the carriage return from the end of each line. Pieces keep theirs: what follows is not known. */
export function stripReturns(bytes: Buffer, spans: number[] | Uint32Array, partial: ReadonlySet<number>): void {
  for (let at = 1; at < spans.length; at += 2) {
    const end = spans[at]! - 1;
    if (end >= spans[at - 1]! && bytes[end] === carriageReturn && !partial.has(at >> 1)) spans[at] = end;
  }
}
