import { expect, test } from 'vitest';
import { type Observation, openExposure } from '../src/expose.ts';

const nothing: Observation = { time: new Date(0), families: [], reports: [] };

test('those who ask together share one observation, and those who come after it was old get a new one', async () => {
  const started: PromiseWithResolvers<Observation>[] = [];
  const exposure = openExposure(
    () => {
      started.push(Promise.withResolvers());
      return started.at(-1)!.promise;
    },
    () => 0,
  );
  const first = [exposure.latest(), exposure.latest(), exposure.latest()];
  expect(started).toHaveLength(1);
  started[0]!.resolve(nothing);
  expect(await Promise.all(first)).toEqual([nothing, nothing, nothing]);
  const second = exposure.latest();
  expect(started).toHaveLength(2);
  started[1]!.resolve(nothing);
  await second;
});

test('an answer, good or bad, serves until it is too old', async () => {
  let observed = 0;
  let maxAge = 60_000;
  const exposure = openExposure(
    async () => {
      observed++;
      return nothing;
    },
    () => maxAge,
  );
  await exposure.latest();
  await exposure.latest();
  expect(observed).toBe(1);
  maxAge = 0;
  await exposure.latest();
  expect(observed).toBe(2);
});

test('an observation that fails is not kept', async () => {
  let failing = true;
  const exposure = openExposure(
    async () => {
      if (failing) throw new Error('once');
      return nothing;
    },
    () => 60_000,
  );
  await expect(exposure.latest()).rejects.toThrow('once');
  failing = false;
  expect(await exposure.latest()).toBe(nothing);
});
