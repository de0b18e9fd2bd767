// Stopping under load. A request is accepted when the application has received it or an octet of its response has come:
// each such request gets its whole response. Whoever is told that the connection closes, and heeds it, loses nothing at all.

import { readFile, writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { type Application, startApplication } from './proxy/application.ts';
import { type HttpClient, requestOf } from './proxy/client.ts';
import { keepAsking, Load, pipeline } from './proxy/load.ts';
import { type ProxyProcess, startProxyProcess } from './proxy/program.ts';
import { keepStreaming } from './proxy/streams.ts';

vi.setConfig({ testTimeout: 90_000 });

// More than the kernel takes on its way, twice: the proxy is in the middle of them.
const download = 32 << 20;
const upload = 8 << 20;

describe.each([
  ['TLS', true],
  ['plain HTTP', false],
])('over %s', (_, tls) => {
  test('prestop, then SIGTERM: no client notices', async () => {
    const held = Promise.withResolvers<void>();
    await using application = await startApplication(held.promise);
    await using proxy = await startProxyProcess({ upstream: application.url, tls });
    using load = new Load(proxy);
    await begin(load, application, proxy);
    await proxy.sidecar.post('/v1/prestop');
    // Each connection of before is told, and who comes anew is served still.
    const told = load.closing;
    await until(() => load.closing > told + 300, { what: 'connections to be closed and opened anew' });
    load.over = true;
    const last = new Load(proxy);
    last.start(20, holdOn);
    const arrived = () => [...application.received].filter((name) => name.includes('held')).length;
    await until(() => arrived() === 20, { what: 'the last requests to reach the application' });
    proxy.sidecar.kill('SIGTERM');
    await until(() => proxy.sidecar.stderr.includes('PROXY_DRAIN'), { what: 'the drain to begin' });
    const begun = performance.now();
    go.resolve();
    held.resolve();
    await Promise.all([load.finished(), last.finished()]);
    const served = performance.now();
    expect(await proxy.sidecar.exited).toEqual({ code: 0, signal: null });
    // It goes as soon as the last of them has its response.
    expect(performance.now() - served).toBeLessThan(3_000);
    expect(served - begun).toBeLessThan(20_000);
    for (const { lost, wrong, refused } of [load, last])
      expect({ lost, wrong, refused }).toEqual({ lost: [], wrong: [], refused: [] });
    expectAllAnswered(application, load, last);
  });

  test('SIGTERM alone: every request that was accepted is answered', async () => {
    await using application = await startApplication();
    await using proxy = await startProxyProcess({ upstream: application.url, tls });
    using load = new Load(proxy);
    await begin(load, application, proxy);
    proxy.sidecar.kill('SIGTERM');
    await until(() => proxy.sidecar.stderr.includes('PROXY_DRAIN'), { what: 'the drain to begin' });
    go.resolve();
    await load.finished();
    const served = performance.now();
    expect(await proxy.sidecar.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - served).toBeLessThan(3_000);
    expect(load.wrong).toEqual([]);
    // A request that set out as its idle connection was closed has not been read by anybody.
    expect(load.lost.filter(({ name, began }) => began || application.received.has(name))).toEqual([]);
    expectAllAnswered(application, load);
  });
});

/** Lets the halves that wait set out. */
let go = Promise.withResolvers<void>();

/** All kinds of clients, each in the middle of what it does. */
async function begin(load: Load, application: Application, proxy: ProxyProcess): Promise<void> {
  go = Promise.withResolvers();
  const halfway = { uploads: 0, downloads: 0 };
  if (proxy.ca) load.start(4, (each) => keepStreaming(each, proxy));
  load.start(40, keepAsking);
  load.start(10, pipeline);
  load.start(8, (each) => sendHalf(each, () => halfway.uploads++));
  load.start(4, (each) => readSlowly(each, () => halfway.downloads++));
  await until(() => halfway.uploads === 8 && halfway.downloads === 4 && load.completed.size > 500, {
    what: () => `the load: ${JSON.stringify(halfway)}, ${load.completed.size} completed`,
  });
  // The heads of the uploads have got through too.
  const arrived = (kind: string) => [...application.received].filter((name) => name.includes(kind)).length;
  await until(() => arrived('upload') === 8 && (!proxy.ca || arrived('stream') > 20));
}

async function sendHalf(load: Load, ready: () => void): Promise<void> {
  const name = load.name('upload');
  using client = await opened(load);
  client.send(`POST /count/${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${upload}\r\n\r\n`);
  client.send(Buffer.alloc(upload / 2, 'a'));
  ready();
  await go.promise;
  client.send(Buffer.alloc(upload / 2, 'b'));
  await load.take(client, name, String(upload));
}

async function readSlowly(load: Load, ready: () => void): Promise<void> {
  const name = load.name('download');
  using client = await opened(load);
  client.send(requestOf(`/fill/${download}/${name}`));
  let first = true;
  await load.take(client, name, download, async () => {
    if (first) await standStill(client, ready);
    first = false;
  });
}

async function standStill({ socket }: HttpClient, ready: () => void): Promise<void> {
  socket.pause();
  ready();
  await go.promise;
  socket.resume();
}

async function holdOn(load: Load): Promise<void> {
  const name = load.name('held');
  using client = await opened(load);
  client.send(requestOf(`/hold/${name}`));
  await load.take(client, name, name);
}

async function opened(load: Load): Promise<HttpClient> {
  const client = await load.open();
  if (!client) throw new Error(`No connection: ${load.refused}`);
  return client;
}

/** Also those that a client had sent on, behind the one that closed its connection. */
function expectAllAnswered({ received }: Application, ...loads: readonly Load[]): void {
  const unanswered = [...received].filter((name) => !loads.some(({ completed }) => completed.has(name)));
  expect(unanswered).toEqual([]);
}

test('a client that does not take its response cannot hold it up: exit code 75, and who it was is said', async () => {
  await using directory = await scratch();
  // The kubelet makes the file; what is not there is not written.
  await writeFile(directory.join('message'), '');
  await using application = await startApplication();
  const flags = ['--drain-timeout', '2s', '--termination-message-file', directory.join('message')];
  await using proxy = await startProxyProcess({ upstream: application.url, flags });
  using load = new Load(proxy);
  using client = await opened(load);
  client.send(requestOf(`/fill/${download}/1`));
  await until(() => client.socket.bytesRead > 0);
  client.socket.pause();
  proxy.sidecar.kill('SIGTERM');
  const begun = performance.now();
  expect(await proxy.sidecar.exited).toEqual({ code: 75, signal: null });
  const took = performance.now() - begun;
  expect(took).toBeGreaterThan(1_500);
  expect(took).toBeLessThan(4_000);
  expect(await readFile(directory.join('message'), 'utf8')).toContain('--drain-timeout');
  expect(proxy.sidecar.logs().find(({ code }) => code === 'PROXY_DRAIN')).toMatchObject({ requests: 1 });
});
