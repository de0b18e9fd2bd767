// Bytes to lines, which is where everything begins.

import type { Numbers } from '../numbers.ts';
import { kernelOf, splitFrom } from '../transcode/kernel.ts';
import type { Source } from './join.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * Puts the start and end of each line into `spans`, and the indices of those that go on in the next into `partial`. A line
 * longer than `limit` goes in pieces: cutting it off would lose bytes, waiting for its end would need them all in memory.
 * Returns up to where: what is not a whole line yet is not taken.
 */
export function split({ bytes, unfinished }: Source, limit: number, spans: Numbers, partial: Set<number>): number {
  let start = bytes.length < few ? 0 : splitMany(bytes, limit, spans);
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

/** Of so few bytes that finding the ends one by one costs less. */
const few = 0x400;

/** By the kernel, many lines at a time. Returns where the first line begins that has no end here or is too long. */
function splitMany(bytes: Buffer, limit: number, spans: Numbers): number {
  const kernel = kernelOf();
  if (!kernel) return 0;
  const { looked } = kernel.exports;
  let start = 0;
  for (let at = 0; at < bytes.length; at += looked.value) {
    const count = splitFrom(kernel, bytes, at, start, limit);
    spans.append(kernel.spans.subarray(0, 2 * count));
    if (count > 0) start = kernel.spans[2 * count - 1]! + 1;
    if (looked.value < 0) break;
  }
  return start;
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
