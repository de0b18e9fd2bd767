// How connections of HTTP/2 end: time-outs, prestop, SIGTERM. Each test has a proxy of its own, and mostly waits for it.

import { once } from 'node:events';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { always, ok, RawApplication } from '../raw.ts';
import { codes, flags, frame, headers, preface, request, settings, types, wire, word } from './frames.ts';
import { answerOn, connectionsOf, H2Client, start } from './start.ts';

test.concurrent('after prestop a GOAWAY names the last stream, which is answered, and the client goes', async () => {
  await using application = await RawApplication.open();
  await using proxy = await start(application.url);
  using client = await wire(proxy.port);
  client.send(headers(7, request()));
  const connection = await until(() => application.connections[0]);
  await connection.until('\r\n\r\n');
  await proxy.sidecar.post('/v1/prestop');
  const { payload } = await client.until(types.goaway);
  expect([payload.readUInt32BE(0), payload.readUInt32BE(4)]).toEqual([7, codes.none]);
  client.send(headers(9, request('/late')));
  connection.send(ok);
  await client.until(types.data, 7);
  expect(client.body(7)).toBe('ok');
  await client.untilClosed();
  expect(application.connections.map(({ text }) => text).join('')).not.toContain('/late');
});

test.concurrent('a connection that comes after prestop is served, and then told to go', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await start(application.url);
  await proxy.sidecar.post('/v1/prestop');
  using client = await wire(proxy.port);
  client.send(headers(1, request()));
  await client.until(types.data, 1);
  const { payload } = await client.until(types.goaway);
  expect([payload.readUInt32BE(0), payload.readUInt32BE(4)]).toEqual([1, codes.none]);
  await client.untilClosed();
});

test.concurrent('SIGTERM loses no request that is under way', async () => {
  await using application = await RawApplication.open();
  await using proxy = await start(application.url);
  using busy = await H2Client.open(proxy.port);
  using idle = await H2Client.open(proxy.port);
  const answers = Promise.all(Array.from({ length: 20 }, (_, index) => busy.get(`/${index}`)));
  const asked = () => application.connections.filter(({ text }) => text.includes('\r\n\r\n'));
  await until(() => asked().length === 20);
  const gone = once(idle.session, 'close');
  proxy.sidecar.process.kill('SIGTERM');
  await gone;
  for (const connection of application.connections) connection.send(ok);
  expect((await answers).map(({ body, code }) => `${body} ${code}`)).toEqual(Array(20).fill('ok 0'));
  expect((await proxy.sidecar.exited).code).toBe(0);
});

test.concurrent('an idle connection is told to go, and cut off when it stays', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await start(application.url, '--idle-timeout', '200ms');
  using client = await wire(proxy.port);
  client.send(headers(1, request()));
  await client.until(types.data, 1);
  expect(await client.code(types.goaway)).toBe(codes.none);
  await client.untilClosed();
});

test.concurrent('a client that says nothing after its handshake is cut off', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await start(application.url, '--head-timeout', '200ms');
  using client = await wire(proxy.port, false);
  await client.untilClosed();
});

test.concurrent('a head that never ends is cut off', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await start(application.url, '--idle-timeout', '200ms');
  using client = await wire(proxy.port);
  client.send(frame(types.headers, flags.endStream, 1, ''));
  await client.untilClosed();
});

test.concurrent('a body that stops is answered with 408, other requests of the connection are not', async () => {
  await using application = await RawApplication.open((connection, arrived) => {
    if (arrived.includes('/other')) setImmediate(() => connection.send(ok));
  });
  await using proxy = await start(application.url, '--client-timeout', '300ms');
  using client = await H2Client.open(proxy.port);
  const stream = client.request({ ':method': 'POST', ':path': '/' }, false);
  stream.write('some');
  const answer = answerOn(stream);
  expect((await client.get('/other')).status).toBe(200);
  expect(await answer).toMatchObject({ status: 408, code: 0 });
  expect(JSON.parse((await answer).body)).toMatchObject({ reason: 'body_timeout' });
});

test.concurrent('an application that is too slow is answered for with 504', async () => {
  await using application = await RawApplication.open();
  await using proxy = await start(application.url, '--upstream-timeout', '300ms');
  using client = await H2Client.open(proxy.port);
  expect((await client.get('/')).status).toBe(504);
});

test.concurrent('a client that takes nothing of its response has the stream reset', async () => {
  await using application = await RawApplication.open((connection) => {
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n${'x'.repeat(10_000_000)}`);
  });
  await using proxy = await start(application.url, '--client-timeout', '300ms');
  using client = await wire(proxy.port);
  client.send(headers(1, request()));
  expect(await client.code(types.reset, 1)).toBeGreaterThan(0);
  // And so has one whose response has been read whole from the application, but not by it.
  application.become(always(`HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(40_000)}`));
  client.send(settings([4, 100]), headers(3, request()));
  expect(await client.code(types.reset, 3)).toBeGreaterThan(0);
  client.send(settings([4, 65_535]), headers(5, request()), frame(types.windowUpdate, 0, 0, word(1 << 20)));
  await until(() => client.body(5).length === 40_000);
});

test.concurrent('requests and the state of a connection are shown', async () => {
  await using application = await RawApplication.open();
  await using proxy = await start(application.url);
  using client = await H2Client.open(proxy.port);
  const answers = [client.get('/1'), client.get('/2')];
  await until(() => application.connections.length === 2);
  const seen = () => connectionsOf(proxy);
  expect(await seen()).toMatchObject([{ state: 'active', requests: 2, tls: { version: 'TLSv1.3' } }]);
  for (const connection of application.connections) connection.send(ok);
  await Promise.all(answers);
  await until(async () => JSON.stringify(await seen()).includes('"idle"'));
  client.session.destroy();
  await until(async () => (await seen()).length === 0);
});

test.concurrent('octets that are no HTTP/2 at all end the connection', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await start(application.url);
  using client = await wire(proxy.port, false);
  client.send(preface.subarray(0, 12), Buffer.from('garbage garbage garbage'));
  await client.untilClosed();
});
