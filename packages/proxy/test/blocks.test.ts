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

test('little and more than a block holds is ordinary memory', () => {
  expect(releaseAfter(room(100))).toBeUndefined();
  expect(room(1_000_000)).toHaveLength(1_000_000);
  expect(releaseAfter(room(1_000_000))).toBeUndefined();
});
