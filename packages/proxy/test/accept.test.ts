import { once } from 'node:events';
import { request } from 'node:https';
import { type ConnectionOptions, connect } from 'node:tls';
import { freePort, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { always, ask, dial, get, ok, RawApplication } from './raw.ts';
import { startProxy } from './start-proxy.ts';

test.concurrent('after prestop it still accepts and serves, and says close in each response', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, tls: true });
  const reply = async () => {
    const sent = request({
      host: '127.0.0.1',
      port: proxy.port,
      ca: proxy.ca,
      servername: 'localhost',
      agent: false,
    }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    return response as { statusCode: number; headers: Record<string, string> };
  };
  expect((await reply()).statusCode).toBe(200);
  await proxy.sidecar.post('/v1/prestop');
  const { statusCode, headers } = await reply();
  expect({ statusCode, connection: headers.connection }).toEqual({ statusCode: 200, connection: 'close' });
  expect((await proxy.sidecar.get('/readyz')).status).toBe(503);
});

test.concurrent('SIGTERM closes idle connections at once, lets requests in flight finish, and accepts no more', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({ upstream: application.url });
  using idle = await dial(proxy.port);
  using busy = await dial(proxy.port);
  busy.send(get);
  const upstream = await until(() => application.connections[0]);
  await upstream.until('\r\n\r\n');
  proxy.sidecar.kill('SIGTERM');
  expect(await idle.untilEnd()).toBe('');
  await expect(dial(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(busy.ended).toBe(false);
  upstream.send(ok);
  expect(await busy.untilEnd()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\nConnection: close\r\n\r\nok$/);
  busy.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});

test.concurrent('SIGTERM in the middle of a body lets the rest of it through', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({ upstream: application.url });
  using client = await dial(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
  const upstream = await until(() => application.connections[0]);
  await upstream.until('12345');
  proxy.sidecar.kill('SIGTERM');
  await until(() => proxy.sidecar.logs().some(({ message }) => message === 'Stopping'));
  client.send('67890');
  await upstream.until('1234567890');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde').send('fghij');
  expect(await client.untilEnd()).toMatch(/abcdefghij$/);
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});

test.concurrent('requests that do not finish within the drain time-out cost exit code 75', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({ upstream: application.url, flags: ['--drain-timeout', '300ms'] });
  using client = await dial(proxy.port);
  client.send(get);
  await until(() => application.connections[0]);
  proxy.sidecar.kill('SIGTERM');
  expect(await proxy.sidecar.exited).toMatchObject({ code: 75 });
});

test.concurrent('connections beyond the limit are closed, counted, and harm nobody', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: ['--connection-limit', '2'] });
  using first = await dial(proxy.port);
  using second = await dial(proxy.port);
  await first.send(get).until('ok');
  await second.send(get).until('ok');
  using third = await dial(proxy.port);
  await until(() => third.closed || third.ended);
  expect(await proxy.metric('connections_refused_total')).toBe(1);
  first.socket.destroy();
  await until(async () =>
    (await ask(proxy.port, get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))).includes('200 OK'),
  );
});

test.concurrent('there is one limit for all listeners, and what is refused at any of them is counted', async () => {
  await using application = await RawApplication.open(always(ok));
  const plain = await freePort();
  const flags = ['--connection-limit', '3', '--redirect-listen-address', `127.0.0.1:${plain}`];
  await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
  const connections = async () => ((await (await proxy.sidecar.get('/v1/connections')).json()) as object[]).length;
  const refused = async (port: number) => {
    using client = await dial(port);
    await until(() => client.closed || client.ended);
    expect(client.length).toBe(0);
  };
  using secure = await dial(proxy.port);
  using first = await dial(plain);
  using second = await dial(plain);
  await until(async () => (await connections()) === 3);
  expect(await proxy.growth('connections_refused_total', () => refused(plain))).toBe(1);
  expect(await proxy.growth('connections_refused_total', () => refused(proxy.port))).toBe(1);
  expect(await proxy.metric('connections_total')).toBe(3);
  secure.socket.destroy();
  await until(async () => (await connections()) === 2);
  expect(await ask(plain, get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))).toContain('308');
  expect([first, second].map(({ closed, ended }) => closed || ended)).toEqual([false, false]);
});

test.concurrent('a TLS client that ends its side still gets its response', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, tls: true });
  // The types of tls.connect do not know allowHalfOpen.
  const options = {
    host: '127.0.0.1',
    port: proxy.port,
    ca: proxy.ca,
    servername: 'localhost',
    allowHalfOpen: true,
  };
  const client = connect(options as ConnectionOptions);
  await once(client, 'secureConnect');
  client.end(get);
  const text = Buffer.concat(await client.toArray()).toString();
  expect(text).toMatch(/200 OK[\s\S]*ok$/);
});
