import { expect, test } from 'vitest';
import { type Observation, openExposure } from '../src/expose.ts';

const nothing: Observation = { time: new Date(0), families: [], reports: [] };

test('those who ask together share one observation, and those who come after it was old get a new one', async () => {
  const started: PromiseWithResolvers<Observation>[] = [];
  const exposure = openExposure({
    observe: () => {
      started.push(Promise.withResolvers());
      return started.at(-1)!.promise;
    },
    maxAge: () => 0,
    trying: () => false,
  });
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
  const exposure = openExposure({
    observe: async () => {
      observed++;
      return nothing;
    },
    maxAge: () => maxAge,
    trying: () => false,
  });
  await exposure.latest();
  await exposure.latest();
  expect(observed).toBe(1);
  maxAge = 0;
  await exposure.latest();
  expect(observed).toBe(2);
});

test('an observation that fails is not kept', async () => {
  let failing = true;
  const exposure = openExposure({
    observe: async () => {
      if (failing) throw new Error('once');
      return nothing;
    },
    maxAge: () => 60_000,
    trying: () => false,
  });
  await expect(exposure.latest()).rejects.toThrow('once');
  failing = false;
  expect(await exposure.latest()).toBe(nothing);
});

test('while one scrape tries a target that hung, the others are told what is known', async () => {
  const fault = { code: 'ADAPTER_TARGET_HANGS' } as Observation['fault'];
  const known: Observation = { ...nothing, fault };
  const results: Observation[] = [known];
  const trial = Promise.withResolvers<Observation>();
  let trying = false;
  const exposure = openExposure({
    observe: async () => results.shift() ?? trial.promise,
    maxAge: () => 0,
    trying: () => trying,
  });
  expect(await exposure.latest()).toBe(known);
  const first = exposure.latest();
  trying = true;
  expect(await exposure.latest()).toBe(known);
  trial.resolve(nothing);
  expect(await first).toBe(nothing);
});
