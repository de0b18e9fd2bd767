// The end, for connections of every kind at once; what concerns one kind alone is tested with it (accept, http2/end,
// tcp/session).

import { freePort, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { dialTls } from './bad-inputs/ways.ts';
import { answerOn, H2Client } from './http2/start.ts';
import { dial, get, ok, type Raw, RawApplication, type Serve } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

/** Opens tunnels and sends back what comes in them, answers what is quick, and leaves the rest to the test. */
const serve: Serve = (connection, arrived) => {
  if (arrived.includes('GET /chat')) connection.send(switched);
  else if (arrived.includes('GET /quick')) connection.send(ok);
  else if (connection.text.includes('GET /chat')) connection.send(arrived);
};

const to = (path: string) => get.replace('/', path);
const waiting = ({ connections }: RawApplication, path: string) =>
  until(() => connections.find(({ text }) => text.includes(path)));
const gone = (client: Raw) => until(() => client.ended || client.closed);
type Listed = { readonly protocol: string; readonly state: string; readonly unsentBytes: number };
const listOf = async ({ sidecar }: RunningProxy) =>
  (await (await sidecar.get('/v1/connections')).json()) as readonly Listed[];
const statesOf = async (proxy: RunningProxy) =>
  (await listOf(proxy)).map(({ protocol, state }) => `${protocol} ${state}`).sort();

test.concurrent('prestop and then SIGTERM: what is idle goes at once, what is under way finishes, tunnels have their grace', async () => {
  await using application = await RawApplication.open(serve);
  const plain = await freePort();
  const flags = ['--tunnel-grace', '3s', '--redirect-listen-address', `127.0.0.1:${plain}`];
  await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
  using idle = await dialTls(proxy);
  using kept = await dialTls(proxy);
  using busy = await dialTls(proxy);
  using tunnel = await dialTls(proxy);
  using shaking = await dial(proxy.port);
  using redirected = await dial(plain);
  using h2 = await H2Client.open(proxy.port);
  using idleH2 = await H2Client.open(proxy.port);
  await idle.send(to('/quick')).until('ok');
  await kept.send(to('/quick')).until('ok');
  await tunnel.send(upgrade).until('101 Switching');
  await redirected.send(get).until('308');
  await idleH2.get('/quick');
  busy.send(to('/busy'));
  const streams = ['/one', '/two'].map((path) => answerOn(h2.request({ ':path': path })));
  const [forBusy, forOne, forTwo] = await Promise.all(
    ['/busy', '/one', '/two'].map((path) => waiting(application, path)),
  );
  expect(await statesOf(proxy)).toEqual([
    ...['h2 active', 'h2 idle', 'http/1.1 active', 'http/1.1 idle', 'http/1.1 idle', 'http/1.1 idle'],
    ...['http/1.1 tunnel', 'tcp reading'],
  ]);

  await proxy.sidecar.post('/v1/prestop');
  await until(() => h2.goaways > 0 && idleH2.goaways > 0);
  await tunnel.send('still there?').until('still there?');
  expect(await kept.send(to('/quick')).untilEnd()).toMatch(/\r\nConnection: close\r\n\r\nok$/);
  expect(await redirected.send(get).untilEnd()).toMatch(/308[\s\S]*308[\s\S]*\r\nConnection: close\r\n\r\n$/);
  using late = await dialTls(proxy);
  expect(await late.send(to('/quick')).untilEnd()).toMatch(/200 OK[\s\S]*\r\nConnection: close\r\n\r\nok$/);
  expect([idle.ended, busy.ended, shaking.ended]).toEqual([false, false, false]);

  const start = performance.now();
  proxy.sidecar.kill('SIGTERM');
  await Promise.all([idle, shaking].map(gone));
  expect([busy.ended, tunnel.ended]).toEqual([false, false]);
  await expect(dial(plain)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await tunnel.send('and now?').until('and now?');
  forOne!.send(ok);
  forBusy!.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
  await busy.until('a\r\n');
  forBusy!.send('1\r\nb\r\n0\r\n\r\n');
  expect(await busy.untilEnd()).toMatch(/\r\nConnection: close\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/);
  forTwo!.send(ok);
  expect(await Promise.all(streams)).toMatchObject(Array(2).fill({ status: 200, body: 'ok', code: 0 }));
  await tunnel.untilEnd();
  expect(performance.now() - start).toBeGreaterThan(2_900);
  await until(() => application.connections.every(({ ended, closed }) => ended || closed));
  for (const client of [busy, tunnel]) client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  expect(proxy.sidecar.logs().filter(({ level }) => level === 'error')).toEqual([]);
});

test.concurrent('a tunnel in which something moves all the time has no more grace than another', async () => {
  await using application = await RawApplication.open(serve);
  await using proxy = await startProxy({ upstream: application.url, flags: ['--tunnel-grace', '400ms'] });
  using client = await dial(proxy.port);
  await client.send(upgrade).until('101 Switching');
  const start = performance.now();
  proxy.sidecar.kill('SIGTERM');
  const drops = setInterval(() => client.send('x'), 20);
  await client.untilEnd();
  clearInterval(drops);
  expect(performance.now() - start).toBeGreaterThan(350);
  expect(performance.now() - start).toBeLessThan(8_000);
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});

test.concurrent('a tunnel does not outlive the time there is to stop, however long its grace', async () => {
  await using application = await RawApplication.open(serve);
  const flags = ['--tunnel-grace', '1h', '--drain-timeout', '500ms'];
  await using proxy = await startProxy({ upstream: application.url, flags });
  using client = await dial(proxy.port);
  await client.send(upgrade).until('101 Switching');
  proxy.sidecar.kill('SIGTERM');
  expect(await proxy.sidecar.exited).toMatchObject({ code: 75 });
  const said = proxy.sidecar.logs().find(({ code }) => code === 'PROXY_DRAIN');
  expect(said).toMatchObject({ level: expect.any(String), code: 'PROXY_DRAIN' });
});

test.concurrent('a tunnel that opens after SIGTERM has the grace of the others', async () => {
  await using application = await RawApplication.open();
  await using proxy = await startProxy({ upstream: application.url, flags: ['--tunnel-grace', '300ms'] });
  using client = await dial(proxy.port);
  client.send(upgrade);
  const connection = await waiting(application, '/chat');
  proxy.sidecar.kill('SIGTERM');
  await until(() => proxy.sidecar.logs().some(({ message }) => message === 'Stopping'));
  connection.send(`${switched}hello`);
  expect(await client.untilEnd()).toMatch(/hello$/);
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});

test.concurrent('of requests one behind the other the first is answered, the next are not begun, and the client can tell', async () => {
  await using application = await RawApplication.open(serve);
  await using proxy = await startProxy({ upstream: application.url });
  using client = await dial(proxy.port);
  client.send(to('/first') + to('/second') + to('/third'));
  const connection = await waiting(application, '/first');
  proxy.sidecar.kill('SIGTERM');
  await until(() => proxy.sidecar.logs().some(({ message }) => message === 'Stopping'));
  connection.send(ok);
  const text = await client.untilEnd();
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  expect(text).toMatch(/\r\nConnection: close\r\n\r\nok$/);
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  expect(application.connections.map((each) => each.text).join('')).not.toMatch(/second|third/);
});

test.concurrent('clients that have not taken their responses yet are waited for, and named beside requests', async () => {
  const page = `HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n${'x'.repeat(16_384)}`;
  await using application = await RawApplication.open((connection, arrived) =>
    connection.send(arrived.includes('/slow') ? '' : page),
  );
  await using proxy = await startProxy({ upstream: application.url });
  using full = await dial(proxy.port);
  using busy = await dial(proxy.port);
  full.socket.pause();
  // More than the kernel takes: requests are answered until the proxy itself holds as much as it may.
  full.send(get.repeat(2_000));
  busy.send(to('/slow'));
  const most = full.socket.writableHighWaterMark;
  await until(async () => (await listOf(proxy)).some(({ unsentBytes }) => unsentBytes >= most));
  await waiting(application, '/slow');
  proxy.sidecar.kill('SIGTERM');
  const said = await until(() => proxy.sidecar.logs().find(({ code }) => code === 'PROXY_DRAIN'));
  expect(said).toMatchObject({ requests: 1, unsent: 1, tunnels: 0 });
  expect(said.message).toMatch(/1 requests in flight, 1 responses that clients have not taken yet/);
});

test.concurrent('a head of which half has arrived is waited for, answered, and the connection closes', async () => {
  await using application = await RawApplication.open(serve);
  await using proxy = await startProxy({ upstream: application.url });
  using client = await dial(proxy.port);
  client.send('GET /quick HTTP/1.1\r\nHo');
  await until(async () => (await statesOf(proxy))[0] === 'http/1.1 reading');
  proxy.sidecar.kill('SIGTERM');
  await until(() => proxy.sidecar.logs().some(({ message }) => message === 'Stopping'));
  client.send('st: a\r\n\r\n');
  expect(await client.untilEnd()).toMatch(/200 OK[\s\S]*\r\nConnection: close\r\n\r\nok$/);
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});

test.concurrent('what the proxy answers itself after prestop says close too', async () => {
  await using application = await RawApplication.open((connection) => connection.socket.end());
  await using proxy = await startProxy({ upstream: application.url });
  using client = await dial(proxy.port);
  await proxy.sidecar.post('/v1/prestop');
  expect(await client.send(get).untilEnd()).toMatch(/^HTTP\/1\.1 502 [\s\S]*\r\nConnection: close\r\n/);
});

test.concurrent('octets of any protocol hear nothing of prestop, and end in their own time after SIGTERM', async () => {
  await using application = await RawApplication.open((connection, arrived) => connection.send(arrived));
  const flags = ['--mode', 'tcp', '--tunnel-grace', '30s'];
  await using proxy = await startProxy({ upstream: application.url.replace('http:', 'tcp:'), tls: true, flags });
  using client = await dialTls(proxy);
  await client.send('one').until('one');
  await proxy.sidecar.post('/v1/prestop');
  await client.send('two').until('two');
  using late = await dialTls(proxy);
  await late.send('late').until('late');
  proxy.sidecar.kill('SIGTERM');
  await until(() => proxy.sidecar.logs().some(({ message }) => message === 'Stopping'));
  await client.send('three').until('three');
  for (const each of [client, late]) each.socket.end();
  await until(() => application.connections.every(({ ended }) => ended));
  for (const { socket } of application.connections) socket.end();
  await client.untilEnd();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
});
