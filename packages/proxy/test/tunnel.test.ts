import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { always, ask, dial, get, ok, RawApplication, type Serve } from './raw.ts';
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

test.concurrent('a silent tunnel ends after its time, and with the proxy', async () => {
  await using application = await RawApplication.open(echo);
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

test.concurrent('after the end of one side the other has no hour to say nothing', async () => {
  await using application = await RawApplication.open(echo);
  const flags = ['--client-timeout', '300ms', '--upstream-timeout', '300ms'];
  await using brief = await startProxy({ upstream: application.url, flags });
  // A socket that has read its end does not notice a reset, so the proxy is asked.
  const forgotten = async () => {
    await brief.settled();
    await until(async () => (await (await brief.sidecar.get('/v1/connections')).text()) === '[]');
  };
  using silent = await dial(brief.port);
  await silent.send(handshake).until('hello');
  application.connections[0]!.socket.end();
  await silent.untilEnd();
  await forgotten();
  using leaving = await dial(brief.port);
  await leaving.send(handshake).until('hello');
  leaving.socket.end();
  await until(() => application.connections[1]!.ended);
  await forgotten();
});

test.concurrent('a client that goes on talking while it is told of the end is not reset', async () => {
  await using application = await RawApplication.open(echo);
  await using brief = await startProxy({ upstream: application.url, flags: ['--tunnel-grace', '100ms'] });
  using busy = await dial(brief.port);
  await busy.send(handshake).until('hello');
  busy.socket.on('data', (octets) => busy.socket.write(octets)).on('end', () => busy.send('more'));
  busy.send('there and back');
  brief.sidecar.kill('SIGTERM');
  await busy.untilEnd();
  await until(() => busy.socket.writableLength === 0);
  busy.socket.end('goodbye');
  await until(() => busy.closed);
  expect(busy.error).toBeUndefined();
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

describe('what has to be allowed first', () => {
  let open: RunningProxy;
  beforeAll(async () => {
    const flags = ['--allow-connect', '--upgrades', 'websocket', '--upgrades', 'foo/2'];
    open = await startProxy({ upstream: application.url, flags });
  });
  afterAll(() => open[Symbol.asyncDispose]());
  beforeEach(async () => {
    application.become(() => undefined);
    await open.settled();
  });

  const echoed =
    (start: string): Serve =>
    (connection, arrived) => {
      if (connection.text === arrived.toString('latin1')) connection.send(start);
      else connection.send(arrived);
    };
  const switching = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: Foo/2\r\n\r\n';
  const connecting = 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n';

  test('another protocol than WebSocket', async () => {
    application.become(echoed('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo/2\r\n\r\n'));
    using client = await dial(open.port);
    await client.send(switching).until('\r\n\r\n');
    expect(client.text).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nUpgrade: foo\/2\r\n/);
    expect(application.connections[0]!.text).toContain('\r\nConnection: Upgrade\r\nUpgrade: foo/2\r\n');
    await client.send('\0\n').until('\0\n');
  });

  test('a tunnel by CONNECT, when the application agrees', async () => {
    application.become(echoed('HTTP/1.1 200 Connected\r\nContent-Length: 5\r\nVia: it\r\n\r\n'));
    using client = await dial(open.port);
    await client.send(connecting).until('\r\n\r\n');
    expect(client.text).toBe('HTTP/1.1 200 Connected\r\nVia: it\r\n\r\n');
    expect(application.connections[0]!.text).toMatch(/^CONNECT db:5432 HTTP\/1\.1\r\nHost: db:5432\r\n/);
    await client.send('\0\n').until('\0\n');
  });

  test.each([
    ['a body', 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\nContent-Length: 2\r\n\r\nhi', 400, 'unexpected_body'],
    ['another host', 'CONNECT db:5432 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'target_host'],
    ['no port', 'CONNECT db HTTP/1.1\r\nHost: db\r\n\r\n', 400, 'target'],
    ['HTTP/1.0', 'CONNECT db:5432 HTTP/1.0\r\nHost: db:5432\r\n\r\n', 405, 'method'],
  ])('CONNECT with %s is refused even so', async (_, request, status, reason) => {
    application.become(always(ok));
    const answer = await ask(open.port, request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"reason":"${reason}"`));
    expect(application.connections).toHaveLength(0);
  });

  test('a refusal of the application is relayed, and what was meant for the tunnel is no request', async () => {
    application.become(always('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'));
    expect(await ask(open.port, connecting + get)).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*\r\nConnection: close\r\n\r\nno$/,
    );
    expect(application.connections.map(({ text }) => text).join('')).not.toContain('GET /');
  });
});
