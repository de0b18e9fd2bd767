import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dial, ok, RawApplication, type Serve } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const handshake =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, b\r\n\r\n';
const switched =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** Accepts the handshake, then sends back what comes. */
const echo: Serve = (connection, arrived) => {
  if (arrived.includes('GET /chat')) connection.send(`${switched}hello`);
  else connection.send(arrived);
};

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open();
  proxy = await startProxy({ upstream: application.url });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

test('a WebSocket goes through, both ways and to the end of each side', async () => {
  application.become(echo);
  using client = await dial(proxy.port);
  await client.send(handshake).until('hello');
  expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(client.text).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
  const [connection] = application.connections;
  expect(connection!.text).toContain('Sec-WebSocket-Protocol: a, b\r\n');
  const frame = Buffer.from([0x81, 0x02, 0x00, 0xff, 0x0a, 0x0d]);
  client.send(frame);
  await until(() => client.received.includes(frame));
  const list = (await (await proxy.sidecar.get('/v1/connections')).json()) as { state: string }[];
  expect(list.map(({ state }) => state)).toContain('tunnel');
  client.socket.end();
  await until(() => connection!.ended);
  connection!.send('last words').socket.end();
  expect(await client.untilEnd()).toMatch(/last words$/);
});

test('much goes both ways, each side held back by the other', async () => {
  application.become(echo);
  using client = await dial(proxy.port);
  await client.send(handshake).until('hello');
  const before = client.length;
  const block = Buffer.alloc(1 << 20, 'x');
  for (let i = 0; i < 16; i++) client.send(block);
  await until(() => client.length - before === 16 << 20, { what: () => `16 MiB, ${client.length - before} so far` });
});

test('an application that does not want to is relayed as it answers', async () => {
  application.become((connection) => connection.send(ok));
  using client = await dial(proxy.port);
  expect(await client.send(handshake).until('ok')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(await client.send(handshake).until(/ok[\s\S]*ok/)).toBeTruthy();
});

test('a silent tunnel ends after its time, and with the proxy', async () => {
  application.become(echo);
  await using brief = await startProxy({ upstream: application.url, flags: ['--tunnel-timeout', '300ms'] });
  using silent = await dial(brief.port);
  await silent.send(handshake).until('hello');
  await until(() => silent.closed || silent.ended);
  using other = await dial(brief.port);
  await other.send(handshake).until('hello');
  brief.sidecar.kill('SIGTERM');
  await other.untilEnd();
  expect(await brief.sidecar.exited).toMatchObject({ code: 0 });
});

test('a reset on either side ends the other', async () => {
  application.become(echo);
  const client = await dial(proxy.port);
  await client.send(handshake).until('hello');
  client.socket.resetAndDestroy();
  await until(() => application.connections[0]!.closed || application.connections[0]!.ended);
  using second = await dial(proxy.port);
  await second.send(handshake).until('hello');
  application.connections[1]!.socket.resetAndDestroy();
  await until(() => second.closed);
});
