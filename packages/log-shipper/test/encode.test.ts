import { describe, expect, it } from 'vitest';
import { Encoder } from '../src/encode.ts';
import { line } from '../src/encoding/line.ts';
import { recordsOf } from './chunk.ts';

/** How many chunks go into an encoder before there is a batch that somebody has to take. */
function chunksOf(text: string, { drop }: { drop: boolean }): { chunks: number; released: number; kept: number } {
  const encoder = new Encoder(line, { bytes: 0x100000 });
  const all: ReturnType<typeof recordsOf>[] = [];
  for (let chunks = 1; chunks < 100_000; chunks++) {
    const records = recordsOf([text]);
    all.push(records);
    if (drop) records.drop(0, 'route');
    for (const batch of encoder.encode(records)) {
      batch.acknowledge();
      const released = all.filter(({ chunk }) => (chunk as unknown as { released: number }).released === 1).length;
      return { chunks, released, kept: batch.records };
    }
  }
  return { chunks: Number.POSITIVE_INFINITY, released: 0, kept: 0 };
}

describe('a batch that grows while nobody takes it', () => {
  it('holds no more than a few megabytes of what is not to be shipped', () => {
    expect(chunksOf('x'.repeat(0x3ffff), { drop: true })).toEqual({ chunks: 16, released: 16, kept: 0 });
  });

  it('holds no more than a thousand chunks, however little is in them', () => {
    expect(chunksOf('x', { drop: false })).toEqual({ chunks: 1024, released: 1024, kept: 1024 });
  });
});
