// Applications of rules beside the one of --upstream: their connections, and what becomes of them when rules change.

import { writeFile } from 'node:fs/promises';
import { freePort, type Scratch, scratch, until } from '@outrigger/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { H2cApplication } from './http2/grpc.ts';
import { answerOn, H2Client } from './http2/start.ts';
import { always, ask, dial, get, getAndClose, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

let directory: Scratch;
let main: RawApplication;
let api: RawApplication;
beforeEach(async () => {
  directory = await scratch();
  main = await RawApplication.open(always(ok));
  api = await RawApplication.open(always(ok));
});
afterEach(async () => {
  await main[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

const write = (rules: readonly string[]) =>
  writeFile(directory.join('routes.yaml'), `rules: [${rules.map((rule) => `{ ${rule} }`).join(', ')}]\n`);
const rule = (upstream: string, more = '') => `name: api, path: /api, upstream: '${upstream}'${more}`;

async function startWith(rules: readonly string[], ...flags: string[]): Promise<RunningProxy> {
  await write(rules);
  const routes = ['--routes-file', directory.join('routes.yaml'), '--upstream-idle-timeout', '30s'];
  return await startProxy({ upstream: main.url, flags: [...routes, ...flags] });
}

/** Writes the rules and waits until they are in use. */
async function change(proxy: RunningProxy, rules: readonly string[]): Promise<void> {
  const said = () => proxy.sidecar.logs().filter(({ message }) => message === 'The changed rules are in use').length;
  const before = said();
  await write(rules);
  await until(() => said() > before);
}

const to = (path: string) => get.replace('/', path);
const askFor = (proxy: RunningProxy, path: string) => ask(proxy.port, getAndClose.replace('/', path));
const countsOf = async ({ sidecar }: RunningProxy) =>
  ((await (await sidecar.get('/v1/status')).json()) as { upstream: { connections: object } }).upstream.connections;

test('each application has its own connections, shared by its requests alone, and all are counted', async () => {
  await using proxy = await startWith([rule(api.url)]);
  for (let i = 0; i < 3; i++) for (const path of ['/', '/api']) expect(await askFor(proxy, path)).toContain('200 OK');
  expect([main.connections.length, api.connections.length]).toEqual([1, 1]);
  expect(api.connections[0]!.text.match(/GET \/api HTTP/g)).toHaveLength(3);
  expect(main.connections[0]!.text).not.toContain('/api');
  expect(await countsOf(proxy)).toEqual({ active: 0, idle: 2 });
  expect(await proxy.metric('open_upstream_connections{state="idle"}')).toBe(2);
});

test('one that is down, or on its way, harms no other', async () => {
  const port = await freePort();
  await using proxy = await startWith([rule(`http://127.0.0.1:${port}`)]);
  expect(await askFor(proxy, '/')).toContain('200 OK');
  expect(await askFor(proxy, '/api')).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
  await using late = await RawApplication.open(always(ok), port);
  expect(await askFor(proxy, '/api')).toContain('200 OK');
  await late[Symbol.asyncDispose]();
  await until(async () => /^HTTP\/1\.1 502 /.test(await askFor(proxy, '/api')));
  expect(await askFor(proxy, '/')).toContain('200 OK');
});

test('an application that is named no more has its idle connection closed at once, the others keep theirs', async () => {
  await using other = await RawApplication.open(always(ok));
  const kept = rule(other.url).replaceAll('api', 'kept');
  await using proxy = await startWith([rule(api.url), kept]);
  for (const path of ['/', '/api', '/kept']) await askFor(proxy, path);
  await change(proxy, [kept, 'name: new, path: /new, deny: 410']);
  await until(() => api.connections[0]!.ended || api.connections[0]!.closed);
  for (const path of ['/', '/api', '/kept']) expect(await askFor(proxy, path)).toContain('200 OK');
  expect([main, api, other].map(({ connections }) => connections.length)).toEqual([1, 1, 1]);
  expect(main.connections[0]!.text).toContain('GET /api ');
  expect(await countsOf(proxy)).toEqual({ active: 0, idle: 2 });
});

test('a request that is under way finishes where it began, and its connection is then closed', async () => {
  api.become(() => undefined);
  await using proxy = await startWith([rule(api.url)]);
  using client = await dial(proxy.port);
  client.send(to('/api'));
  const connection = await until(() => api.connections[0]);
  await connection.until('\r\n\r\n');
  await change(proxy, []);
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfr');
  await client.until('fr');
  connection.send('om');
  await client.until(/from$/);
  await until(() => connection.ended || connection.closed);
  await client.send(to('/api')).until(/from.*ok$/s);
  expect([main.connections.length, api.connections.length]).toEqual([1, 1]);
});

test('a tunnel to an application that is named no more goes on', async () => {
  api.become((connection, arrived) => {
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
    connection.send(arrived.includes('GET /api') ? switched : arrived);
  });
  await using proxy = await startWith([rule(api.url)]);
  using client = await dial(proxy.port);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n';
  await client.send(to('/api').replace(/\r\n$/, upgrade)).until('101 Switching');
  await change(proxy, []);
  await client.send('still there?').until('still there?');
  client.socket.end();
  await until(() => api.connections[0]!.ended);
  api.connections[0]!.send('bye').socket.end();
  expect(await client.untilEnd()).toMatch(/bye$/);
});

test('an application that is named again is asked again, over new connections', async () => {
  await using proxy = await startWith([rule(api.url)]);
  await askFor(proxy, '/api');
  await change(proxy, []);
  await change(proxy, [rule(api.url, ', request: { set: { X-Again: yes } }')]);
  expect(await askFor(proxy, '/api')).toContain('200 OK');
  expect(api.connections).toHaveLength(2);
  expect(api.connections[1]!.text).toContain('\r\nX-Again: yes\r\n');
});

test('rules that cannot be used change nothing', async () => {
  await using proxy = await startWith([rule(api.url)]);
  await askFor(proxy, '/api');
  await write(['path: nonsense']);
  await until(() => proxy.sidecar.logs().some(({ level }) => level === 'warn' || level === 'error'));
  expect(await askFor(proxy, '/api')).toContain('200 OK');
  expect(api.connections).toHaveLength(1);
  expect(api.connections[0]!.closed).toBe(false);
});

test('an application of HTTP/2 that is named no more finishes what it has begun', async () => {
  const answers: (() => void)[] = [];
  await using grpc = await H2cApplication.open((stream) => {
    stream.respond({ ':status': 200 });
    answers.push(() => stream.end('done'));
  });
  await write([rule(grpc.url)]);
  const flags = ['--routes-file', directory.join('routes.yaml'), '--upstream-idle-timeout', '30s'];
  await using proxy = await startProxy({ upstream: main.url, tls: true, flags });
  using client = await H2Client.open(proxy.port);
  const answer = answerOn(client.request({ ':path': '/api' }));
  const finish = await until(() => answers[0]);
  await change(proxy, []);
  expect(grpc.sessions.size).toBe(1);
  finish();
  expect(await answer).toMatchObject({ status: 200, body: 'done' });
  await until(() => grpc.sessions.size === 0);
  expect(await client.get('/api')).toMatchObject({ status: 200, body: 'ok' });
});

test('50 changes under load lose no request', async () => {
  await using proxy = await startWith([rule(api.url)]);
  let going = true;
  let answered = 0;
  const clients = Array.from({ length: 8 }, async () => {
    using client = await dial(proxy.port);
    for (let i = 1; going; i++) {
      client.send(to('/api'));
      await until(() => client.text.match(/HTTP\/1\.1 \d/g)?.length === i && client.text.endsWith('ok'));
      answered++;
    }
    return client.text;
  });
  for (let i = 0; i < 50; i++) await change(proxy, i % 2 === 0 ? [] : [rule(api.url)]);
  going = false;
  for (const text of await Promise.all(clients)) expect(text).not.toMatch(/HTTP\/1\.1 [^2]/);
  expect(answered).toBeGreaterThan(100);
  expect(await proxy.metric('upstream_errors_total{reason="keepalive_race"}')).toBe(0);
});
