import { expect, test } from 'vitest';
import { releaseAfter, room } from '../src/blocks.ts';

test('a block is used again after it was written, and only then', () => {
  const first = room(60_000);
  const second = room(60_000);
  expect(second.buffer).not.toBe(first.buffer);
  releaseAfter(first.subarray(0, 50_000))!();
  expect(room(60_000).buffer).toBe(first.buffer);
  releaseAfter(second.subarray(0, 50_000))!(new Error('EPIPE'));
  expect(room(60_000).buffer).not.toBe(second.buffer);
});

test('of many blocks that were written some are kept and the memory of the others is given back at once', () => {
  const blocks = Array.from({ length: 100 }, () => room(60_000));
  for (const block of blocks) releaseAfter(block)!();
  const kept = blocks.filter(({ buffer }) => buffer.byteLength > 0);
  expect(kept).toHaveLength(32);
  const lost = room(60_000);
  expect(kept.map(({ buffer }) => buffer)).toContain(lost.buffer);
  // Somebody may still be reading from it.
  releaseAfter(lost)!(new Error('EPIPE'));
  expect(lost.buffer.byteLength).toBeGreaterThan(60_000);
});

test('little and more than a block holds is ordinary memory', () => {
  expect(releaseAfter(room(100))).toBeUndefined();
  expect(room(1_000_000)).toHaveLength(1_000_000);
  expect(releaseAfter(room(1_000_000))).toBeUndefined();
});
