// Clients of HTTP/2 that keep the proxy busy for nothing: each is told to go, and others are served meanwhile.

import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { always, ok, RawApplication } from '../raw.ts';
import type { RunningProxy } from '../start-proxy.ts';
import {
  block,
  codes,
  type Fields,
  flags,
  frame,
  headers,
  request,
  reset,
  settings,
  types,
  type Wire,
  wire,
  word,
} from './frames.ts';
import { connectionsOf, H2Client, start } from './start.ts';

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open(always(ok));
  proxy = await start(application.url);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

const each = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
const stream = (index: number) => 2 * index + 1;
const open = (index: number, fields: Fields = request()) => headers(stream(index), fields, flags.none);

/** Sends the same again and again until the connection is closed; fails when the proxy takes it all. */
async function flood(client: Wire, octets: (turn: number) => Buffer, turns = 100): Promise<void> {
  for (let turn = 0; turn < turns && !client.closed; turn++) {
    client.send(octets(turn));
    await client.sent();
    // Whatever it was, the proxy has answered it by the time it answers this.
    client.send(frame(types.ping, 0, 0, 'the turn'));
    await until(() => client.closed || client.count(types.ping) > turn || client.find(types.goaway));
    if (client.find(types.goaway)) break;
  }
  await client.untilClosed();
}

async function others(): Promise<void> {
  using client = await H2Client.open(proxy.port);
  expect(await client.get('/')).toMatchObject({ status: 200, body: 'ok' });
}

describe('a connection is closed for', () => {
  const floods: readonly (readonly [string, (turn: number) => Buffer])[] = [
    [
      'requests that are reset at once',
      (turn) => each(50, (i) => Buffer.concat([open(turn * 50 + i), reset(stream(turn * 50 + i))])),
    ],
    [
      'requests that we have to reset',
      (turn) =>
        each(50, (i) =>
          Buffer.concat([open(turn * 50 + i), frame(types.windowUpdate, 0, stream(turn * 50 + i), word(0))]),
        ),
    ],
    ['SETTINGS', () => each(50, () => settings([3, 100]))],
    ['PINGs', () => each(500, () => frame(types.ping, 0, 0, '12345678'))],
    ['DATA without data', (turn) => (turn === 0 ? open(0) : each(20, () => frame(types.data, 0, 1)))],
    [
      'RST_STREAM of streams that are closed',
      (turn) => (turn === 0 ? headers(1, request()) : each(100, () => reset(1))),
    ],
    [
      'CONTINUATION without end',
      (turn) =>
        turn === 0
          ? frame(types.headers, 0, 1, block(request()))
          : frame(types.continuation, 0, 1, block([[`x-${turn}`, 'y'.repeat(9_000)]])),
    ],
    [
      'CONTINUATION without anything in it',
      (turn) =>
        turn === 0 ? frame(types.headers, 0, 1, block(request())) : each(10, () => frame(types.continuation, 0, 1)),
    ],
  ];
  test.each(floods)('%s', async (_, octets) => {
    application.become(() => undefined);
    using client = await wire(proxy.port);
    await flood(client, octets);
    application.become(always(ok));
    await others();
  });

  test.each([
    ['more requests at once than it may have', each(150, (index) => open(index))],
    ['a window that overflows', frame(types.windowUpdate, 0, 0, word(0x7fffffff))],
    ['a frame that is too large', frame(types.data, 0, 1, Buffer.alloc(20_000))],
    ['a stream with an even number', headers(2, request())],
    ['PUSH_PROMISE', frame(types.push, flags.endHeaders, 1, Buffer.concat([word(2), block(request())]))],
    [
      'a header block that cannot be decompressed',
      frame(types.headers, 5, 1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)),
    ],
    ['DATA before any request', frame(types.data, 0, 1, 'abc')],
    ['a request of HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ])('%s', async (_, octets) => {
    using client = await wire(proxy.port);
    client.send(octets);
    await client.untilClosed();
    expect(await client.code(types.goaway)).not.toBe(codes.none);
    await others();
  });

  test('a body beyond the window', async () => {
    application.become((connection) => {
      connection.socket.pause();
    });
    using client = await wire(proxy.port);
    client.send(
      open(0),
      each(2_000, () => frame(types.data, 0, 1, Buffer.alloc(16_384))),
    );
    await client.untilClosed();
    application.become(always(ok));
    await others();
  });
});

test('an ordinary client may cancel what it has asked for, and go on', async () => {
  application.become((connection, arrived) => {
    if (arrived.includes('/last')) connection.send(ok);
  });
  using client = await H2Client.open(proxy.port);
  const streams = Array.from({ length: 90 }, () => client.request({ ':path': '/' }));
  await until(() => application.connections.length === 90);
  for (const each of streams) each.close(codes.cancel);
  expect((await client.get('/last')).status).toBe(200);
  application.become(always(ok));
});

test('frames at random end their connection at most', async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  console.info(`SEED=${seed}`);
  const random = randomOf(seed);
  for (let round = 0; round < 150; round++) {
    using client = await wire(proxy.port);
    const count = 1 + random(30);
    for (let i = 0; i < count; i++) client.send(randomFrame(random));
    await client.sent();
  }
  await others();
  expect(proxy.sidecar.process.exitCode).toBeNull();
  let left: readonly unknown[] = [];
  const gone = async () => {
    left = await connectionsOf(proxy);
    return left.length === 0;
  };
  await until(gone, {
    deadline: 30_000,
    what: () => JSON.stringify(left),
  });
});

/** Whole numbers below a limit, the same for the same seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Mostly frames that make sense, on few streams, so that they meet. */
function randomFrame(random: (limit: number) => number): Buffer {
  const id = random(10);
  const kind = random(12);
  if (kind < 5) return headers(id | 1, request('/', [['x', 'y'.repeat(random(50))]]), random(8));
  if (kind < 7) return frame(types.data, random(10), id, Buffer.alloc(random(300)));
  if (kind === 7) return reset(id, random(14));
  if (kind === 8) return frame(types.windowUpdate, 0, id, word(random(70_000)));
  if (kind === 9) return settings([1 + random(7), random(100_000)]);
  const noise = Buffer.from(Array.from({ length: random(40) }, () => random(256)));
  return frame(random(16), random(256), id, noise);
}

test('memory is as it was after 300 connections that flood', async () => {
  const run = async () => {
    using client = await wire(proxy.port);
    await flood(client, () => each(200, () => settings([3, 100])), 5);
  };
  const rss = async () =>
    Number(/process_resident_memory_bytes (\d+)/.exec(await (await proxy.sidecar.get('/metrics')).text())![1]);
  const ten = () => Promise.all(Array.from({ length: 10 }, run));
  for (let i = 0; i < 10; i++) await ten();
  const before = await rss();
  for (let i = 0; i < 20; i++) await ten();
  expect((await rss()) - before).toBeLessThan(32 << 20);
});
