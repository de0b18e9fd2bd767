// Clients that are slow, silent or suddenly gone. See rows.test.ts for the list.

import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dial, get, RawApplication, type Serve } from '../raw.ts';
import { startProxy } from '../start-proxy.ts';
import { type Bench, dialTls, openBench, problemOf, reset, type Way, ways } from './ways.ts';

const overBoth = ways.filter(({ slowly }) => !slowly);

describe('row 37: time-outs', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(() => undefined, ['--head-timeout', '400ms', '--client-timeout', '400ms']);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  describe.each(overBoth)('$name', (way) => {
    /** Sends the start, then something again and again until the proxy has had enough. */
    async function drip(start: string, drop: string): Promise<string> {
      using client = await bench.dial(way);
      client.send(start);
      const drops = setInterval(() => client.send(drop), 50);
      const text = await client.untilEnd();
      clearInterval(drops);
      return text;
    }

    const expectLate = (answer: string, reason: string) => {
      expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*\r\nConnection: close\r\n/);
      expect(problemOf(answer)).toMatchObject({ status: 408, code: 'PROXY_REQUEST_REFUSED', reason });
    };

    test('a head that drips is refused, and the application hears nothing', async () => {
      const before = bench.application.connections.length;
      expectLate(await drip('GET / HTTP/1.1\r\n', 'X: y\r\n'), 'head_timeout');
      expect(bench.application.connections).toHaveLength(before);
    });

    test('a line that drips is refused', async () => {
      expectLate(await drip('GET / HTTP/1.1\r\nX: ', 'y'), 'head_timeout');
    });

    test('a body that stops is refused, and the application gets no end of it', async () => {
      using client = await bench.dial(way);
      client.send('POST /stops HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      expectLate(await client.untilEnd(), 'body_timeout');
      const connection = bench.application.connections.at(-1)!;
      await connection.untilEnd();
      expect(connection.text).toMatch(/hello\r\n$/);
    });

    test('silence is answered with silence: 408 would be taken for the answer to the next request', async () => {
      using client = await bench.dial(way);
      expect(await client.untilEnd()).toBe('');
    });
  });
});

test('row 38: silent and stalled TLS handshakes end after their time and are counted', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({
    upstream: application.url,
    tls: true,
    flags: ['--handshake-timeout', '300ms'],
  });
  const failed = await proxy.growth('handshake_failures_total', async () => {
    // Nothing, the start of a record, and a record that is no handshake.
    const clients = await Promise.all(
      ['', '\x16\x03\x01\x00\xc8\x01', '\x17\x03\x03\x00\x01x'].map(async (octets) => {
        const client = await dial(proxy.port);
        return octets === '' ? client : client.send(octets);
      }),
    );
    for (const client of clients) await until(() => client.closed || client.ended, { what: 'the handshake to end' });
    for (const client of clients) client[Symbol.dispose]();
  });
  expect(failed).toBe(3);
  using good = await dialTls(proxy);
  expect(good.closed).toBe(false);
});

describe('row 50: a client that resets', () => {
  const size = 1 << 26;
  /** By the path: no answer, half an answer, more than is taken, or a switch of protocols. */
  const serve: Serve = (connection, arrived) => {
    if (arrived.includes('/half')) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
    if (arrived.includes('/much'))
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`).send(Buffer.alloc(size));
    if (arrived.includes('/chat'))
      connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    if (arrived.includes('/whole')) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  };
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench(serve);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const to = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n';
  const upgrade =
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  type State = { name: string; sends: string; sees?: RegExp; reaches?: string; abandons: number; pauses?: boolean };
  const states: State[] = [
    { name: 'before it said anything', sends: '', abandons: 0 },
    { name: 'in a head', sends: 'GET / HTTP/1.1\r\nHo', abandons: 0 },
    { name: 'while it waits for its answer', sends: to('/none'), reaches: '/none', abandons: 1 },
    { name: 'in its body', sends: `${post}\r\n12345`, reaches: '12345', abandons: 1 },
    {
      name: 'while it has permission',
      sends: `${post}Expect: 100-continue\r\n\r\n`,
      sees: /100 Continue/,
      abandons: 1,
    },
    { name: 'with requests behind the first', sends: to('/none') + to('/b').repeat(9), reaches: '/none', abandons: 1 },
    { name: 'in its answer', sends: to('/half'), sees: /12345$/, abandons: 1 },
    { name: 'in an answer that it does not take', sends: to('/much'), reaches: '/much', abandons: 1, pauses: true },
    { name: 'between two requests', sends: to('/whole'), sees: /ok$/, abandons: 0 },
    { name: 'in a tunnel', sends: upgrade, sees: /101 Switching[\s\S]*\r\n\r\n$/, abandons: 0 },
    { name: 'after a refusal', sends: 'nonsense\r\n\r\n', sees: /}$/, abandons: 0 },
  ];

  async function gone(way: Way): Promise<void> {
    const { sidecar } = bench.proxyOf(way);
    await until(async () => ((await (await sidecar.get('/v1/connections')).json()) as unknown[]).length === 0, {
      what: 'no client to be left',
    });
    await bench.proxyOf(way).settled();
  }

  describe.each(overBoth)('$name', (way) => {
    test.each(states)('$name is forgotten, and so is what was asked for it', async (state) => {
      bench.application.become(serve);
      const proxy = bench.proxyOf(way);
      const abandoned = await proxy.growth('abandoned_total', async () => {
        const client = await bench.dial(way);
        if (state.pauses) client.socket.pause();
        if (state.sends) client.send(state.sends);
        if (state.sees) await client.until(state.sees);
        if (state.reaches)
          await until(() => bench.application.connections.some(({ text }) => text.includes(state.reaches!)));
        reset(client);
        await gone(way);
      });
      expect(abandoned).toBe(state.abandons);
      for (const connection of bench.application.connections)
        await until(() => connection.closed || connection.ended, { what: 'the application to be told' });
    });

    test('and the proxy lives, has nothing to complain of, and serves', async () => {
      const { sidecar } = bench.proxyOf(way);
      expect(sidecar.process.exitCode).toBeNull();
      expect(sidecar.logs().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
      using client = await bench.dial(way);
      await client.send(get.replace('/', '/whole')).until(/ok$/);
    });
  });
});
