// A chunk of bytes that remembers how much of it was taken and acknowledged.

import type { Lines } from '../src/frame.ts';
import type { Records } from '../src/parse.ts';
import type { Chunk } from '../src/source/source.ts';

export function chunkOf(content: string | Buffer, unfinished: Chunk['unfinished'] = 'held') {
  const chunk = {
    path: '/logs/app.log',
    bytes: Buffer.from(content as string),
    unfinished,
    taken: 0,
    acknowledged: 0,
    take: (length: number) => {
      chunk.taken = length;
    },
    acknowledgement: (length: number) => () => {
      chunk.acknowledged = length;
    },
  };
  return chunk;
}

export const linesIn = ({ chunk, spans }: Lines): Buffer[] =>
  Array.from({ length: spans.length / 2 }, (_, index) => chunk.bytes.subarray(spans[2 * index], spans[2 * index + 1]));

export const recordsOf = (lines: Lines, more: Partial<Records> = {}): Records => ({
  lines,
  own: new Map(),
  common: {},
  lineField: 'log',
  failures: 0,
  ...more,
});
