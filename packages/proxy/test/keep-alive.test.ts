import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { KeepAlive } from '../src/keep-alive.ts';
import { always, ask, dial, get, getAndClose, ok, RawApplication } from './raw.ts';
import { startProxy } from './start-proxy.ts';

const assumed = 1_500;

function learning() {
  let now = 0;
  const keepAlive = new KeepAlive(() => now);
  return {
    keepAlive,
    limit: () => keepAlive.limit(assumed),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test('while nothing is known what is assumed counts', () => {
  expect(new KeepAlive().limit(assumed)).toBe(assumed);
});

test.each([
  [0, 0],
  [1_000, 500],
  [1_500, 750],
  [2_000, 1_000],
  [5_000, 4_000],
  [61_000, 60_000],
  [3_600_000, 60_000],
])('an application that promises %s ms has its connections used for %s', (told, limit) => {
  const { keepAlive, limit: now } = learning();
  keepAlive.told(told);
  expect(now()).toBe(limit);
});

test('the latest promise counts', () => {
  const { keepAlive, limit } = learning();
  keepAlive.told(75_000);
  keepAlive.told(5_000);
  expect(limit()).toBe(4_000);
});

test('one end is no rule, two are', () => {
  const { keepAlive, limit, wait } = learning();
  keepAlive.sawEnd(1_000);
  expect(limit()).toBe(assumed);
  wait(1_000);
  keepAlive.sawEnd(900);
  expect(limit()).toBeCloseTo(630);
});

test('a restart that ends a hundred connections at once is one end', () => {
  const { keepAlive, limit, wait } = learning();
  for (let i = 0; i < 100; i++) {
    keepAlive.sawEnd(i);
    wait(0.5);
  }
  expect(limit()).toBe(assumed);
});

test.each([
  ['at once after a while', 1_000, 2, 700],
  ['at once after no time: because of the request', 20, 2, assumed],
  ['after working on the request', 1_000, 5_000, assumed],
])('a connection that ends under a request, %s', (_, idle, waited, then) => {
  const { keepAlive, limit, wait } = learning();
  for (let i = 0; i < 2; i++) {
    wait(1_000);
    keepAlive.sawRace(idle, waited);
  }
  expect(limit()).toBeCloseTo(then);
});

test('what was seen counts for more than what was promised, but only if it is less', () => {
  const { keepAlive, limit, wait } = learning();
  keepAlive.told(5_000);
  for (let i = 0; i < 2; i++) {
    wait(1_000);
    keepAlive.sawEnd(2_000);
  }
  expect(limit()).toBeCloseTo(1_400);
  keepAlive.told(2_000);
  expect(limit()).toBe(1_000);
});

test('an end without any idle time does not stop connections from being used for ever', () => {
  const { keepAlive, limit, wait } = learning();
  for (let i = 0; i < 2; i++) {
    wait(1_000);
    keepAlive.sawEnd(0);
  }
  expect(limit()).toBeGreaterThan(0);
  let survived = 0;
  for (; limit() < assumed && survived < 1_000; survived++) {
    wait(2_000);
    keepAlive.survived();
  }
  expect(limit()).toBe(assumed);
  expect(survived).toBeLessThan(100);
});

test('connections that were given up together dare no more than one does', () => {
  const { keepAlive, limit, wait } = learning();
  for (let i = 0; i < 2; i++) {
    wait(1_000);
    keepAlive.sawEnd(1_000);
  }
  wait(1_000);
  for (let i = 0; i < 256; i++) keepAlive.survived();
  expect(limit()).toBeCloseTo(770);
});

test('surviving says nothing while nothing was seen', () => {
  const { keepAlive, limit } = learning();
  for (let i = 0; i < 10; i++) keepAlive.survived();
  expect(limit()).toBe(assumed);
});

const saying = (field: string) => `HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 2\r\n\r\nok`;

test.concurrent.each([
  ['Keep-Alive: timeout=2, max=100', 1_000],
  ['Keep-Alive: max=5, timeout=2', 1_000],
  ['keep-alive: Timeout=2', 1_000],
])('an application that says %s is believed, and its client hears nothing of it', async (field, least) => {
  await using application = await RawApplication.open(always(saying(field)));
  const flags = ['--upstream-idle-timeout', '150ms'];
  await using proxy = await startProxy({ upstream: application.url, flags });
  const answer = await ask(proxy.port, getAndClose);
  expect(answer).not.toMatch(/timeout=/i);
  const [connection] = application.connections;
  const start = performance.now();
  await until(() => connection!.ended || connection!.closed);
  // The end comes from us, after what was promised less its margin and before the application would.
  expect(performance.now() - start).toBeGreaterThan(least - 200);
  expect(performance.now() - start).toBeLessThan(2_000);
});

test.concurrent.each([
  'Keep-Alive: timeout=0',
  'Keep-Alive: timeout=-1',
  'Keep-Alive: timeout=x',
  'Keep-Alive: 9',
  'Keep-Alive:',
])('requests arrive whatever an application says, such as %s', async (field) => {
  await using application = await RawApplication.open(always(saying(field)));
  await using proxy = await startProxy({ upstream: application.url });
  for (let i = 0; i < 3; i++) expect(await ask(proxy.port, getAndClose)).toContain('200 OK');
});

test.concurrent('requests that meet the end of an idle connection teach how long the application keeps one', async () => {
  // The second request on each connection comes too late.
  await using application = await RawApplication.open((connection) => {
    if (connection.text.match(/HTTP\/1\.1/g)!.length === 1) connection.send(ok);
    else connection.socket.resetAndDestroy();
  });
  await using proxy = await startProxy({ upstream: application.url, flags: ['--upstream-idle-timeout', '30s'] });
  const retries = () =>
    proxy.growth('upstream_retries_total', async () => expect(await ask(proxy.port, getAndClose)).toContain('200 OK'));
  await retries();
  await until(async () => {
    // Not waited for: that the connection is idle for so long is what is learned from.
    await delay(300);
    return (await retries()) === 0;
  });
});

test.concurrent('what an application does is learned: no POST is lost to one that ends its connections without a word', async () => {
  // Connections are looked at ten times a second.
  const idle = 1_500;
  await using application = await RawApplication.open((connection) => {
    const { socket } = connection.send(ok);
    socket.setTimeout(idle, () => socket.destroy());
  });
  await using proxy = await startProxy({ upstream: application.url, flags: ['--upstream-idle-timeout', '10s'] });
  // It is left alone twice, and is seen to end.
  for (let i = 1; i <= 2; i++) {
    expect(await ask(proxy.port, getAndClose)).toContain('200 OK');
    await until(() => application.connections.length === i && application.connections[i - 1]!.closed);
    await proxy.settled();
  }
  using client = await dial(proxy.port);
  await client.send(get).until('ok');
  const connection = application.connections[2]!;
  await until(() => connection.ended || connection.closed);
  // 70 % of what was seen: this end is ours.
  expect(connection.ended).toBe(true);
  expect(await proxy.metric('upstream_errors_total{reason="keepalive_race"}')).toBe(0);
});
