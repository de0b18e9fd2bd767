import { writeFile } from 'node:fs/promises';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { always, dial, get, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

let directory: Scratch;
let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  directory = await scratch();
  application = await RawApplication.open();
  const file = directory.join('routes.yaml');
  await writeFile(file, 'rules:\n  - { name: no, path: /no, deny: 403 }\n');
  proxy = await startProxy({ upstream: application.url, flags: ['--routes-file', file] });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const denied = 'GET /no HTTP/1.1\r\nHost: a\r\n\r\n';
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);

test('what comes together with a request that the proxy answers by itself has its turn', async () => {
  application.become(always(ok));
  using client = await dial(proxy.port);
  client.send(get + denied + get + denied.repeat(3000) + get);
  await until(() => statuses(client.text).length === 3004, { what: () => `${statuses(client.text).length} answers` });
  expect(statuses(client.text).filter((status) => status === '200')).toHaveLength(3);
  expect(statuses(client.text).slice(0, 4)).toEqual(['200', '403', '200', '403']);
});

type Row = { readonly requests: number; readonly unsentBytes: number };

test('a client that does not read its answers gets no more of them', async () => {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`;
  application.become(always(answer));
  using client = await dial(proxy.port);
  client.socket.pause();
  client.send(get.repeat(1000));
  const row = async () => ((await (await proxy.sidecar.get('/v1/connections')).json()) as Row[])[0]!;
  // Full once nothing has moved from one look to the next but one.
  const seen: number[] = [];
  await until(async () => {
    seen.push((await row()).requests);
    return seen.length > 5 && seen.at(-1) === seen.at(-5);
  });
  expect((await row()).unsentBytes).toBeLessThan(300_000);
  expect((await row()).requests).toBeLessThan(1000);
  client.socket.resume();
  // 60 MB, which are looked through once.
  const all = 1000 * answer.length;
  await until(() => client.length >= all, { deadline: 30_000, what: () => `${all} octets, ${client.length} so far` });
  expect(statuses(client.text)).toHaveLength(1000);
});

test.each([
  ['with its last request', ''],
  ['in the middle of a further one', 'GET / HT'],
])('a client that ends %s has all its answers, then the end', async (_, further) => {
  application.become(always(ok));
  using client = await dial(proxy.port);
  client.send(get.repeat(20) + further).socket.end();
  expect(statuses(await client.untilEnd())).toHaveLength(20);
});

test('a client that ends before it has read its answers gets them all', async () => {
  application.become(always(`HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`));
  using client = await dial(proxy.port);
  client.socket.pause();
  client.send(get.repeat(200)).socket.end();
  await until(async () => ((await (await proxy.sidecar.get('/v1/connections')).json()) as Row[])[0]!.unsentBytes > 0);
  client.socket.resume();
  expect(statuses(await client.untilEnd())).toHaveLength(200);
});

test('a client that ends after the head of its response came has its end after the body', async () => {
  application.become((connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab'));
  using client = await dial(proxy.port);
  await client.send(get).until('ab');
  client.socket.end();
  // By then its end has been seen: the list is made in a later turn.
  await proxy.sidecar.get('/v1/connections');
  application.connections[0]!.send('cd');
  expect(await client.untilEnd()).toMatch(/abcd$/);
});

test('a client that ended before the tunnel began is ended on the other side too', async () => {
  application.become(() => undefined);
  using client = await dial(proxy.port);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`).socket.end();
  await until(() => application.connections[0]?.text.includes('Upgrade: websocket') ?? false);
  await proxy.sidecar.get('/v1/connections');
  application.connections[0]!.send(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );
  await until(() => application.connections[0]!.ended);
});
