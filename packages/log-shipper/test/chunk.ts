// A chunk of bytes that remembers how much of it was taken and acknowledged.

import type { Batch } from '../src/batch.ts';
import type { Encoder } from '../src/encode.ts';
import { Records } from '../src/records.ts';
import type { Chunk } from '../src/source/source.ts';

export function chunkOf(content: string | Buffer, more: Partial<Chunk> = {}) {
  const chunk = {
    path: '/logs/app.log',
    origin: 'abcdefghijk',
    offset: 0,
    bytes: Buffer.from(content as string),
    unfinished: 'held' as Chunk['unfinished'],
    quiet: 0,
    full: false,
    ...more,
    taken: 0,
    acknowledged: 0,
    released: 0,
    became: [] as Parameters<ReturnType<Chunk['acknowledgement']>>[0][],
    take: (length: number) => {
      chunk.taken = length;
    },
    acknowledgement: (length: number) => (settled: Parameters<ReturnType<Chunk['acknowledgement']>>[0]) => {
      chunk.acknowledged = length;
      chunk.became.push(settled);
    },
    release: () => {
      chunk.released++;
    },
  };
  return chunk;
}

export const linesIn = (records: Records): Buffer[] =>
  Array.from({ length: records.count }, (_, index) => records.line(index));

/** Those that say of themselves that they go on. */
export const partialIn = ({ own }: Records): number[] =>
  [...own].filter(([, { partial }]) => partial).map(([at]) => at);

/** Records of one line each, as framing makes them. */
export function recordsOf(lines: readonly string[], more: Partial<Chunk> = {}): Records {
  const chunk = chunkOf(lines.map((line) => `${line}\n`).join(''), more);
  const spans: number[] = [];
  let start = 0;
  for (const line of lines) {
    const end = start + Buffer.byteLength(line);
    spans.push(start, end);
    start = end + 1;
  }
  return new Records({ chunk, spans, length: start });
}

/** All batches that records give. */
export function batchesOf(encoder: Encoder, ...all: Records[]): Batch[] {
  const batches = all.flatMap((records) => [...encoder.encode(records)]);
  const last = encoder.flush();
  return last ? [...batches, last] : batches;
}
