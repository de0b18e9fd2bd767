import { getEventListeners, once } from 'node:events';
import { expect, test } from 'vitest';
import { type Attempt, Courier, type CourierOptions } from '../src/courier.ts';
import { Fault } from '../src/errors.ts';
import { errors } from '../src/notifier/errors.ts';
import { until } from '../src/testing/until.ts';

type Content = { readonly hash: string };

function openCourier(deliver: CourierOptions<Content>['deliver'], more: Partial<CourierOptions<Content>> = {}) {
  const attempts: Attempt<Content>[] = [];
  const ended = (attempt: Attempt<Content>) => void attempts.push(attempt);
  const courier = new Courier<Content>({ target: 'the test', deliver, timeout: () => 5000, ended, ...more });
  return { courier, attempts };
}

test('any number of changes during one attempt ends in one delivery of the last', async () => {
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const { courier } = openCourier(async ({ hash }) => {
    told.push(hash);
    if (told.length === 1) await first.promise;
    return {};
  });
  await using _ = courier;
  for (let at = 0; at <= 1000; at++) courier.bring({ hash: `h${at}` });
  first.resolve();
  await until(() => courier.pending === undefined);
  expect(told).toEqual(['h0', 'h1000']);
});

test('something newer does not wait for the pause after a failure', async () => {
  const told: string[] = [];
  const deliver = async ({ hash }: Content) => {
    told.push(hash);
    if (hash === 'bad') throw errors.NOTIFY_FAILED({ target: 'the test' });
    return {};
  };
  const { courier, attempts } = openCourier(deliver, { backoff: { min: 3_600_000, max: 3_600_000 } });
  await using _ = courier;
  courier.bring({ hash: 'bad' });
  await until(() => attempts.length === 1);
  courier.bring({ hash: 'good' });
  await until(() => told.includes('good'));
});

test('a receiver that asks for time is not tried before', async () => {
  const times: number[] = [];
  const { courier } = openCourier(async () => {
    times.push(performance.now());
    if (times.length === 1) throw errors.NOTIFY_HTTP_STATUS({ status: 503, retryAfter: 1000 });
    return {};
  });
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => courier.pending === undefined);
  // A timer may fire a millisecond early.
  expect(times[1]! - times[0]!).toBeGreaterThan(990);
});

test('with the shortest and the longest wait the same, all waits are that', async () => {
  const times: number[] = [];
  const refuse = async () => {
    times.push(performance.now());
    throw errors.NOTIFY_FAILED({ target: 'the test' });
  };
  const { courier } = openCourier(refuse, { backoff: { min: 200, max: 200 } });
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => times.length === 6);
  const waits = times.slice(1).map((time, at) => time - times[at]!);
  for (const milliseconds of waits) expect(milliseconds).toBeGreaterThan(198);
  expect(Math.min(...waits)).toBeLessThan(300);
});

test('a receiver that ends slowly after its time-out is awaited: no two attempts at a time', async () => {
  let running = 0;
  let most = 0;
  const { courier, attempts } = openCourier(
    async (_, signal) => {
      most = Math.max(most, ++running);
      await once(signal, 'abort');
      // As a program that is given its grace.
      await new Promise((resolve) => setTimeout(resolve, 300));
      running--;
      throw new Error('ended');
    },
    { timeout: () => 30 },
  );
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => attempts.length === 3);
  expect(most).toBe(1);
  expect(attempts.map(({ fault }) => fault?.code)).toEqual(['NOTIFY_TIMEOUT', 'NOTIFY_TIMEOUT', 'NOTIFY_TIMEOUT']);
});

test('a receiver that heeds no signal is given up', async () => {
  let calls = 0;
  const deliver = () => (++calls === 1 ? new Promise<never>(() => undefined) : Promise.resolve({}));
  const { courier, attempts } = openCourier(deliver, { timeout: () => 30 });
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => courier.pending === undefined);
  expect(attempts.map(({ fault }) => fault?.code)).toEqual(['NOTIFY_TIMEOUT', undefined]);
});

test('a thrown error that is no Fault becomes one', async () => {
  let calls = 0;
  const { courier, attempts } = openCourier(async () => {
    if (++calls === 1) throw new TypeError('not a Fault');
    return {};
  });
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => courier.pending === undefined);
  expect(attempts[0]!.fault).toBeInstanceOf(Fault);
  expect(attempts[0]!.fault).toMatchObject({ code: 'NOTIFY_FAILED' });
});

test('disposal ends an attempt at once and keeps what was not delivered', async () => {
  const begun = Promise.withResolvers<void>();
  const { courier, attempts } = openCourier(async (_, signal) => {
    begun.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  });
  courier.bring({ hash: 'h' });
  await begun.promise;
  await courier[Symbol.asyncDispose]();
  expect(courier.pending?.hash).toBe('h');
  expect(attempts).toEqual([]);
  courier.bring({ hash: 'later' });
  expect(courier.pending?.hash).toBe('h');
});

test('an attempt that has ended leaves nothing behind that listens for the end', async () => {
  const signals: AbortSignal[] = [];
  const { courier, attempts } = openCourier(async (_, signal) => {
    signals.push(signal);
    return {};
  });
  await using _ = courier;
  courier.bring({ hash: 'h' });
  await until(() => attempts.length === 1);
  expect(getEventListeners(signals[0]!, 'abort')).toEqual([]);
});
