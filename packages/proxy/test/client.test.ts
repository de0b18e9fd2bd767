import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { always, ask, dial, get, getAndClose, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const timeouts = ['--head-timeout', '400ms', '--idle-timeout', '600ms', '--client-timeout', '400ms'];

describe('one proxy before an application that answers everything', () => {
  let application: RawApplication;
  let proxy: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open(always(ok));
    proxy = await startProxy({ upstream: application.url, flags: ['--body-limit', '1KiB', '--idle-timeout', '60s'] });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });

  test('counts refusals by reason', async () => {
    const count = () => ask(proxy.port, 'GET / HTTP/1.1\r\n\r\n');
    expect(await proxy.growth('refusals_total{reason="host"}', count)).toBe(1);
    expect(await proxy.growth('requests_total{code="4xx"}', count)).toBe(1);
  });

  test('answers a head that comes octet by octet', async () => {
    using client = await dial(proxy.port);
    for (const octet of get) client.send(octet);
    expect(await client.until('ok')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('answers pipelined requests in order, one after the other', async () => {
    using client = await dial(proxy.port);
    client.send(get.repeat(50));
    await until(() => client.text.match(/HTTP\/1\.1 200/g)?.length === 50, { what: () => client.text });
  });

  test('answers a client that has ended its side', async () => {
    using client = await dial(proxy.port);
    client.send(get).socket.end();
    expect(await client.untilEnd()).toMatch(/200 OK[\s\S]*\r\nConnection: close\r\n[\s\S]*ok$/);
  });

  test('keeps a connection of HTTP/1.0 when asked to, and closes it when not', async () => {
    using client = await dial(proxy.port);
    const keep = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    expect(await client.send(keep).until('ok')).toContain('\r\nConnection: keep-alive\r\n');
    expect(await client.send('GET / HTTP/1.0\r\n\r\n').untilEnd()).toContain('\r\nConnection: close\r\n');
  });

  test('closes when the client asks for it', async () => {
    expect(await ask(proxy.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /Connection: close\r\n\r\nok$/,
    );
  });

  test('/v1/connections lists who is connected', async () => {
    using client = await dial(proxy.port);
    await client.send(get).until('ok');
    const port = (client.socket.address() as { port: number }).port;
    const list = (await (await proxy.sidecar.get('/v1/connections')).json()) as { client: string }[];
    expect(list.find((each) => each.client === `127.0.0.1:${port}`)).toMatchObject({ state: 'idle', requests: 1 });
  });
});

describe('a slow client', () => {
  let application: RawApplication;
  let proxy: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open();
    proxy = await startProxy({ upstream: application.url, flags: timeouts });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });

  test('that does not take its response is cut off', async () => {
    using client = await dial(proxy.port);
    client.socket.pause();
    client.send(get);
    const connection = await until(() => application.connections.find(({ text }) => text.endsWith('\r\n\r\n')));
    const size = 64 * 1024 * 1024;
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`).send(Buffer.alloc(size));
    await until(() => connection.closed, { what: 'the connection to the application to be dropped' });
    expect(await proxy.metric('abandoned_total')).toBeGreaterThan(0);
  });
});

test.concurrent('a client that takes the end of its response slowly gets all of it, though the connection is closing', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({ upstream: application.url });
  using client = await dial(proxy.port);
  client.send(getAndClose).socket.pause();
  const upstream = await until(() => application.connections[0]);
  const state = async () => {
    const list = (await (await proxy.sidecar.get('/v1/connections')).json()) as {
      state: string;
      unsentBytes: number;
    }[];
    return list[0]!;
  };
  upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const size = 32_768;
  let sent = 0;
  // Until the kernel takes no more, and the proxy has to keep some.
  while ((await state()).unsentBytes === 0) {
    const relayed = await proxy.metric('sent_bytes_total');
    upstream.send(`8000\r\n${'x'.repeat(size)}\r\n`);
    sent += size;
    await until(async () => (await proxy.metric('sent_bytes_total')) >= relayed + size);
  }
  upstream.send('0\r\n\r\n');
  await until(async () => (await state()).state === 'closing');
  // Longer than the proxy lingers after its last octet.
  const since = performance.now();
  await until(() => performance.now() - since > 3_000);
  expect((await state()).unsentBytes).toBeGreaterThan(0);
  client.socket.resume();
  const text = await client.untilEnd();
  expect(text.match(/x/g)).toHaveLength(sent);
  expect(text).toMatch(/\r\n0\r\n\r\n$/);
});

test.concurrent('an idle connection is kept for its time between two requests and then closed', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: timeouts });
  using client = await dial(proxy.port);
  await client.send(get).until('ok');
  const since = performance.now();
  await client.untilEnd();
  expect(performance.now() - since).toBeGreaterThan(450);
});
