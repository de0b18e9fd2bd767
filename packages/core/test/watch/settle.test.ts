import { expect, test } from 'vitest';
import { wait } from '../../src/index.ts';
import { until } from '../../src/testing/index.ts';
import { openSettle } from '../../src/watch/settle.ts';

test('changes that follow each other closely end in one look, after the last of them', async () => {
  const looks: number[] = [];
  await using settle = openSettle({
    period: () => 400,
    look: async () => {
      looks.push(performance.now());
    },
  });
  let last = 0;
  for (let at = 0; at < 20; at++) {
    settle.touch();
    last = performance.now();
    await wait(5);
  }
  await until(() => looks.length > 0);
  expect(looks.length).toBe(1);
  expect(looks[0]! - last).toBeGreaterThan(398);
});

test('who never pauses is looked at after ten periods', async () => {
  let looks = 0;
  await using settle = openSettle({
    period: () => 20,
    look: async () => {
      looks++;
    },
  });
  const deadline = performance.now() + 10_000;
  while (looks < 2 && performance.now() < deadline) {
    settle.touch();
    await wait(2);
  }
  expect(looks).toBe(2);
});

test('a change during a look leads to another look, and two never run at a time', async () => {
  let running = 0;
  let looks = 0;
  await using settle = openSettle({
    period: () => 0,
    look: async () => {
      expect(++running).toBe(1);
      looks++;
      if (looks === 1) settle.touch();
      await wait(20);
      running--;
    },
  });
  settle.touch();
  await until(() => looks === 2);
});

test('now() looks without waiting, and leaves it to the look that is due', async () => {
  let looks = 0;
  await using settle = openSettle({
    period: () => 50,
    look: async () => {
      looks++;
    },
  });
  await settle.now();
  expect(looks).toBe(1);
  settle.touch();
  await settle.now();
  expect(looks).toBe(1);
  await until(() => looks === 2);
});

test('next() looks at once instead of waiting for the pause, and once more when a look is under way', async () => {
  const begun: PromiseWithResolvers<void>[] = [];
  await using settle = openSettle({
    period: () => 60_000,
    look: () => {
      begun.push(Promise.withResolvers<void>());
      return begun.at(-1)!.promise;
    },
  });
  settle.touch();
  const first = settle.next();
  const second = settle.next();
  const third = settle.next();
  expect(begun.length).toBe(1);
  begun[0]!.resolve();
  await first;
  await until(() => begun.length === 2);
  begun[1]!.resolve();
  await Promise.all([second, third]);
  expect(begun.length).toBe(2);
});

test('disposal waits for the look under way and allows no other', async () => {
  const look = Promise.withResolvers<void>();
  let looks = 0;
  const settle = openSettle({
    period: () => 0,
    look: () => {
      looks++;
      return look.promise;
    },
  });
  const now = settle.now();
  settle.touch();
  const disposed = settle[Symbol.asyncDispose]();
  look.resolve();
  await disposed;
  await now;
  settle.touch();
  await settle.now();
  expect(looks).toBe(1);
});
