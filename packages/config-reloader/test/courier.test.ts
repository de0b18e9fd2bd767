import { once } from 'node:events';
import { Fault } from '@outrigger/core';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { type Attempt, Courier } from '../src/courier.ts';
import { errors } from '../src/errors.ts';
import type { Generation } from '../src/generations.ts';
import type { Notifier } from '../src/notifier/notifier.ts';

let number = 0;
const generation = (hash: string): Generation => ({
  number: ++number,
  hash,
  seen: new Date(),
  since: performance.now(),
  baseline: false,
  deliveries: new Map(),
  notified: undefined,
  confirmed: undefined,
});

function openCourier(notify: Notifier['notify'], timeout = 5000) {
  const attempts: Attempt[] = [];
  const courier = new Courier({
    notifier: { target: 'the test', notify },
    timeout: () => timeout,
    ended: (attempt) => attempts.push(attempt),
  });
  return { courier, attempts };
}

test('any number of changes during one attempt ends in one notification of the last', async () => {
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const { courier } = openCourier(async ({ hash }) => {
    told.push(hash);
    if (told.length === 1) await first.promise;
    return {};
  });
  await using _ = courier;
  for (let at = 0; at <= 1000; at++) courier.bring(generation(`h${at}`));
  first.resolve();
  await until(() => courier.pending === undefined);
  expect(told).toEqual(['h0', 'h1000']);
});

test('a newer generation does not wait for the pause after a failure', async () => {
  const told: string[] = [];
  const { courier, attempts } = openCourier(async ({ hash }) => {
    told.push(hash);
    if (hash === 'bad') throw errors.RELOAD_FAILED({ target: 'the test' });
    return {};
  });
  await using _ = courier;
  courier.bring(generation('bad'));
  // By now the pauses are drawn from up to 3.2 s.
  await until(() => attempts.length === 5, { deadline: 20_000 });
  const at = performance.now();
  courier.bring(generation('good'));
  await until(() => told.includes('good'));
  expect(performance.now() - at).toBeLessThan(300);
});

test('a notifier that heeds no signal is given up at the time-out', async () => {
  let calls = 0;
  const { courier, attempts } = openCourier(
    () => (++calls === 1 ? new Promise(() => undefined) : Promise.resolve({})),
    30,
  );
  await using _ = courier;
  courier.bring(generation('h'));
  await until(() => courier.pending === undefined);
  expect(attempts.map(({ fault }) => fault?.code)).toEqual(['RELOAD_TIMEOUT', undefined]);
});

test('a thrown error that is no Fault becomes one', async () => {
  let calls = 0;
  const { courier, attempts } = openCourier(async () => {
    if (++calls === 1) throw new TypeError('not a Fault');
    return {};
  });
  await using _ = courier;
  courier.bring(generation('h'));
  await until(() => courier.pending === undefined);
  expect(attempts[0]!.fault).toBeInstanceOf(Fault);
  expect(attempts[0]!.fault).toMatchObject({ code: 'RELOAD_FAILED' });
});

test('disposal ends an attempt at once and keeps what was not delivered', async () => {
  const begun = Promise.withResolvers<void>();
  const { courier, attempts } = openCourier(async (_, signal) => {
    begun.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  });
  courier.bring(generation('h'));
  await begun.promise;
  await courier[Symbol.asyncDispose]();
  expect(courier.pending?.hash).toBe('h');
  expect(attempts).toEqual([]);
  courier.bring(generation('later'));
  expect(courier.pending?.hash).toBe('h');
});
