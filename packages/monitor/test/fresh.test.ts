import { expect, test } from 'vitest';
import { Fresh } from '../src/fresh.ts';

/** Numbered looks; the first has no interval behind it. */
function looks() {
  let count = 0;
  return new Fresh(async () => {
    const number = ++count;
    await Promise.resolve();
    return { number, at: performance.now(), interval: number === 1 ? 0 : 1 };
  });
}

test('whoever asks at the same time shares one look', async () => {
  const fresh = looks();
  const seen = await Promise.all([fresh.current(1_000), fresh.current(1_000), fresh.current(1_000)]);
  expect(new Set(seen.map(({ number }) => number))).toEqual(new Set([2]));
});

test('a look is used until it is too old', async () => {
  const fresh = looks();
  expect((await fresh.current(60_000)).number).toBe(2);
  expect((await fresh.current(60_000)).number).toBe(2);
  expect((await fresh.current(0)).number).toBe(3);
});

test('after a look that failed the next is tried', async () => {
  let works = false;
  const fresh = new Fresh(async () => {
    if (!works) throw new Error('no');
    return { at: performance.now(), interval: 1 };
  });
  await expect(fresh.current(1_000)).rejects.toThrow('no');
  works = true;
  await expect(fresh.current(1_000)).resolves.toMatchObject({ interval: 1 });
});
