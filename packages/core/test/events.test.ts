import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { EventStreams, type StreamOptions } from '../src/admin/stream-events.ts';
import { Events } from '../src/index.ts';
import { type RunningSidecar, startSidecar, until } from '../src/testing/index.ts';
import { type Listener, listen } from './fixtures/listen-to-events.ts';

const shop = import.meta.resolve('./fixtures/shop.ts');
const numbers = (listener: Listener, type = 'tick') =>
  listener.heard().flatMap((event) => (event.type === type ? [Number(event.data.number)] : []));
const sequence = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function burst(sidecar: RunningSidecar, count: number, more: object = {}): Promise<{ rss: number }> {
  const body = JSON.stringify({ count, ...more });
  const response = await sidecar.post('/v1/burst', { headers: { 'content-type': 'application/json' }, body });
  return (await response.json()) as { rss: number };
}

/** Streams of events of this very process. */
async function serve(events: Events, options: StreamOptions) {
  const streams = new EventStreams(events, options);
  const server = createServer((_, response) => {
    const { status, headers, body } = streams.open({ after: undefined, types: [] });
    response.writeHead(status, headers);
    if (typeof body === 'function') body(response as ServerResponse);
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a reader that keeps up receives each of 10,000 events once and in order', async () => {
  await using sidecar = await startSidecar(shop, []);
  using listener = await listen(sidecar.url);
  expect(listener.response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  for (let round = 0; round < 10; round++) {
    await burst(sidecar, 1000);
    await until(() => numbers(listener).length === (round + 1) * 1000, { what: () => `round ${round}` });
  }
  expect(numbers(listener)).toEqual(Array.from({ length: 10 }, () => sequence(1, 1000)).flat());
  const ids = listener.heard().map(({ id }) => Number(id.split('-')[1]));
  expect(ids).toEqual(sequence(1, ids.length));
  expect(listener.text).toMatch(/^retry: \d+\n\n/);
});

test('a reader that stops reading costs bounded memory, and then learns exactly how many events it missed', async () => {
  await using sidecar = await startSidecar(shop, []);
  const { rss: before } = await burst(sidecar, 10_000, { bytes: 1024, type: 'warm' });
  using slow = await listen(sidecar.url, { paused: true, query: '?type=tick' });
  using quick = await listen(sidecar.url, { query: '?type=last' });
  let highest = 0;
  for (let round = 0; round < 10; round++)
    highest = Math.max(highest, (await burst(sidecar, 10_000, { bytes: 1024 })).rss);
  await burst(sidecar, 1, { type: 'last' });
  // Who reads is not held up by who does not.
  expect(await quick.until('last')).toMatchObject([{ type: 'last' }]);
  // 100 MB went by; what is kept for the slow one is what its socket had taken.
  expect(highest - before).toBeLessThan(48 * 1024 * 1024);
  slow.response.resume();
  await slow.until('gap');
  await until(() => numbers(slow).at(-1) === 10_000, { what: 'the last event' });
  const gaps = slow.heard().filter(({ type }) => type === 'gap');
  expect(gaps).toMatchObject([{ data: { reason: 'behind', missed: expect.any(Number) } }]);
  const ids = slow.heard().map(({ id }) => Number(id.split('-')[1]));
  const place = slow.heard().findIndex(({ type }) => type === 'gap');
  expect(ids[place]! - ids[place - 1]!).toBe(gaps[0]!.data.missed);
  expect(ids[place + 1]! - ids[place]!).toBe(1);
  expect(numbers(slow).length + Number(gaps[0]!.data.missed)).toBe(100_000);
});

test('a stream is resumed by header or query; nonsense begins with the oldest, another run says that there is a gap', async () => {
  await using sidecar = await startSidecar(shop, []);
  await burst(sidecar, 5);
  using first = await listen(sidecar.url);
  await until(() => numbers(first).length === 5);
  const third = first.heard().find(({ data }) => data.number === 3)!.id;
  const [run, number] = third.split('-') as [string, string];
  const after = async (options: Parameters<typeof listen>[1]) => {
    using listener = await listen(sidecar.url, options);
    await until(() => numbers(listener).at(-1) === 5);
    return listener.heard().filter(({ type }) => type === 'tick' || type === 'gap');
  };
  expect((await after({ headers: { 'last-event-id': third } })).map(({ data }) => data.number)).toEqual([4, 5]);
  expect((await after({ query: `?after=${third}` })).map(({ data }) => data.number)).toEqual([4, 5]);
  const both = { headers: { 'last-event-id': third }, query: `?after=${run}-1` };
  expect(await after(both)).toHaveLength(2);
  for (const nonsense of [
    '0',
    '-1',
    'x',
    `${run}-0`,
    `${run}-999999`,
    `${run}-1e9`,
    `${run}-${number}x`,
    '%00',
    'a'.repeat(9000),
  ])
    expect((await after({ query: `?after=${nonsense}` })).map(({ data }) => data.number)).toEqual([1, 2, 3, 4, 5]);
  const other = await after({ headers: { 'last-event-id': `${run === '00000000' ? '1' : '0'}0000000-4` } });
  expect(other[0]).toMatchObject({ type: 'gap', data: { reason: 'restarted', missed: null } });
  expect(other.slice(1).map(({ data }) => data.number)).toEqual([1, 2, 3, 4, 5]);
  // Who resumes after the gap is not told again.
  expect(await after({ headers: { 'last-event-id': other[0]!.id } })).toHaveLength(5);
});

test('who was away for longer than the history lasts is told how many it missed', async () => {
  await using sidecar = await startSidecar(shop, []);
  await burst(sidecar, 1, { type: 'first' });
  using before = await listen(sidecar.url);
  const { id } = (await before.until('first')).at(-1)!;
  await burst(sidecar, 3000);
  using later = await listen(sidecar.url, { headers: { 'last-event-id': id } });
  await until(() => numbers(later).at(-1) === 3000);
  const [gap, ...rest] = later.heard();
  expect(gap).toMatchObject({ type: 'gap', data: { reason: 'behind', missed: 3000 - rest.length } });
  expect(rest.length).toBeGreaterThan(500);
});

test('types are filtered, and the gap and the end are told to everybody', async () => {
  await using sidecar = await startSidecar(shop, []);
  using some = await listen(sidecar.url, { query: '?type=a&type=b', headers: { 'last-event-id': '0000000a-1' } });
  for (const type of ['a', 'c', 'b', 'a']) await burst(sidecar, 1, { type });
  await some.until('b');
  sidecar.kill('SIGTERM');
  expect((await some.until('stopped')).map(({ type }) => type)).toEqual(['gap', 'a', 'b', 'a', 'stopped']);
});

test('at most 64 streams are served; one that leaves makes room', async () => {
  await using sidecar = await startSidecar(shop, []);
  await using many = new AsyncDisposableStack();
  const open = async () => many.use(await listen(sidecar.url));
  const listeners = await Promise.all(Array.from({ length: 64 }, open));
  const refused = await sidecar.get('/v1/events');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await refused.json()).toMatchObject({ code: 'NO_MORE_STREAMS' });
  listeners[7]![Symbol.dispose]();
  await until(async () => {
    const listener = await open();
    return listener.response.statusCode === 200;
  });
  await burst(sidecar, 1);
  await Promise.all(listeners.filter((_, index) => index !== 7).map((each) => each.until('tick')));
});

test('the stop ends every stream with a last event, and waits for no reader that does not read', async () => {
  await using sidecar = await startSidecar(shop, []);
  using live = await listen(sidecar.url);
  using stuck = await listen(sidecar.url, { paused: true });
  await burst(sidecar, 10_000, { bytes: 1024 });
  const begun = performance.now();
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - begun).toBeLessThan(5_000);
  await until(() => live.closed);
  expect(live.ended).toBe(true);
  expect(live.heard().slice(-2)).toMatchObject([{ type: 'stopping' }, { type: 'stopped' }]);
  expect(stuck.ended).toBe(false);
});

test('quiet streams get comments; a reader that takes nothing for several of them is let go', async () => {
  const events = new Events();
  using server = await serve(events, { beat: 25, limit: 2 });
  using quiet = await listen(server.url);
  using stuck = await listen(server.url, { paused: true });
  await until(() => quiet.text.includes(': still here\n\n'), { what: 'a comment' });
  const filling = 'x'.repeat(64 * 1024);
  // More than any socket takes.
  for (let number = 0; number < 400; number++) {
    events.publish('tick', { number, filling });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(async () => (await listen(server.url)).response.statusCode === 200, {
    what: 'the place of the stuck reader',
  });
  expect(quiet.closed).toBe(false);
  stuck.response.resume();
  await until(() => stuck.closed);
  expect(stuck.ended).toBe(false);
});

test('what is published is what was true then, and nothing comes after the end', async () => {
  const events = new Events();
  using server = await serve(events, {});
  const data = { state: 'old' };
  events.publish('change', data);
  data.state = 'new';
  using listener = await listen(server.url);
  expect(await listener.until('change')).toMatchObject([{ data: { state: 'old' } }]);
  await events.close();
  events.publish('late');
  await until(() => listener.closed);
  expect(listener.ended).toBe(true);
  expect(listener.heard().map(({ type }) => type)).toEqual(['change', 'stopped']);
  expect((await fetch(server.url)).status).toBe(503);
});
