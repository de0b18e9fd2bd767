// What anybody on the Pod's network can throw at the admin listener: the answer, the memory it costs, and that nothing
// was changed by it. What takes its time is in admin-slow.test.ts.

import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../src/admin/limits.ts';
import { type RunningSidecar, startSidecar, until } from '../src/testing/index.ts';
import { memoryWatch, openSockets } from './support/process-figures.ts';
import { connectMany, connectRaw, say, statuses } from './support/raw-client.ts';

let sidecar: RunningSidecar;
let grown: () => number;
// Beside what it takes at rest: 10 for 1,024 connections, 4 for the young generation, the rest for what is in flight.
const mostMegabytes = 40;

beforeAll(async () => {
  // On all addresses, as a sidecar that is scraped. The heap is that of an image in a container of 64 MiB: where there is
  // more, Node.js collects its garbage later.
  sidecar = await startSidecar(import.meta.resolve('./fixtures/shop.ts'), [], {
    adminAddress: '0.0.0.0:0',
    env: { NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=32' },
  });
  grown = memoryWatch(sidecar.pid);
});
afterEach(async () => {
  const phase = async () => ((await (await sidecar.get('/v1')).json()) as { phase: string }).phase;
  expect(await phase()).toBe('serving');
  expect((await sidecar.get('/livez')).status).toBe(200);
  expect(sidecar.logs().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
afterAll(() => sidecar[Symbol.asyncDispose]());

const port = () => new URL(sidecar.url).port;
// Of a Host only the name counts; the port may be that of a Service or a forwarding.
const own = '127.0.0.1:7070';
const get = (target: string, ...headers: string[]) => request(`GET ${target}`, ...headers);
const request = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, `Host: ${own}`, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;

describe('what is no valid HTTP/1.1 gets 400 and the connection is closed', () => {
  const head = 'GET /livez HTTP/1.1\r\nHost: a\r\n';
  const post = 'POST /v1/shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\n';
  test.each([
    ['words', 'hello, sidecar\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version that does not exist', 'GET /livez HTTP/3.7\r\nHost: a\r\n\r\n'],
    ['the hello of TLS', Buffer.from('160301020001000001fc0303', 'hex')],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n'],
    ['two Hosts', `${head}Host: b\r\n\r\n`],
    ['the same Host twice', `${head}Host: a\r\n\r\n`],
    ['a NUL in the path', 'GET /live\0z HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a NUL in a header', `${head}x: a\0b\r\n\r\n`],
    ['a path that is not ASCII', 'GET /live\xe9z HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a blank before the colon', `${head}x : a\r\n\r\n`],
    ['a header that is folded', `${head}x: a\r\n b\r\n\r\n`],
    ['a line feed alone inside a header', `${head}x: a\nContent-Length: 5\r\n\r\n`],
    ['a carriage return alone inside a header', `${head}x: a\rb\r\n\r\n`],
    ['two lengths', `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
    ['the same length twice', `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n`],
    ['a length with a sign', `${post}Content-Length: +5\r\n\r\n`],
    ['a hexadecimal length', `${post}Content-Length: 0x5\r\n\r\n`],
    ['a length beyond all numbers', `${post}Content-Length: 99999999999999999999999\r\n\r\n`],
    ['a length and chunks', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks and a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
    ['chunks that are not the last encoding', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['an encoding that hides chunks', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ])('%s', async (_, bytes) => {
    const answer = await say(sidecar.url, bytes);
    expect(statuses(answer)).toEqual([400]);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
  });

  test('in a chunked body, within bounded time', async () => {
    const body = 'content-type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnothing\r\n';
    const [status] = statuses(await say(sidecar.url, `POST /v1/items HTTP/1.1\r\nHost: ${own}\r\n${body}`));
    // The handler may have begun: then there is nobody to answer any more.
    expect([400, undefined]).toContain(status);
  });

  test('a second request hidden in a body is never made', async () => {
    const hidden = `POST /v1/shutdown HTTP/1.1\r\nHost: ${own}\r\nContent-Length: 0\r\n\r\n`;
    for (const framing of [
      `Content-Length: ${hidden.length}`,
      `Content-Length: 0\r\nTransfer-Encoding: chunked`,
      `Content-Length: 0\r\nContent-Length: ${hidden.length}`,
    ]) {
      const answer = await say(sidecar.url, `GET /livez HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${hidden}`);
      expect(statuses(answer)).toHaveLength(1);
    }
  });
});

describe('odd but valid requests', () => {
  test.each([
    ['a header that is not ASCII', get('/livez', 'x: \xe9\xff'), 200],
    ['HTTP/1.0 without Host', 'GET /livez HTTP/1.0\r\n\r\n', 200],
    ['an upgrade, which is not made', get('/livez', 'Upgrade: websocket'), 200],
    ['an upgrade to HTTP/2, which is not made', get('/livez', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), 200],
    ['a body that no one expects', `${get('/livez', 'Content-Length: 5')}hello`, 200],
    ['OPTIONS for everything', request('OPTIONS *'), 400],
    ['a tunnel', 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n', 405],
    ['an expectation that nobody can meet', get('/livez', 'Expect: miracles'), 417],
    ['a method without a route', request('PATCH /livez'), 405],
    ['TRACE', request('TRACE /livez'), 405],
  ])('%s', async (_, bytes, status) => {
    expect(statuses(await say(sidecar.url, bytes))).toEqual([status]);
  });

  test('the absolute form is served for the own Host and refused for another', async () => {
    expect(statuses(await say(sidecar.url, get(`http://${own}/livez`)))).toEqual([200]);
    expect(statuses(await say(sidecar.url, get('http://elsewhere.example/livez')))).toEqual([400]);
    const twofold = request(`POST http://${own}/v1/shutdown`).replace(`Host: ${own}`, 'Host: evil.example');
    expect(statuses(await say(sidecar.url, twofold))).toEqual([400]);
  });

  test('a refused body is never asked for, an accepted one is', async () => {
    const asking = ['Content-Type: application/json', 'Content-Length: 24', 'Expect: 100-continue'];
    expect(statuses(await say(sidecar.url, request('POST /nothing', ...asking)))).toEqual([404]);
    using client = await connectRaw(sidecar.url);
    client.socket.write(request('POST /v1/items', ...asking));
    await until(() => client.received.includes('100 Continue'));
    client.socket.write('{"name":"tea","price":1}');
    expect(statuses(await client.rest())).toEqual([100, 201]);
  });
});

test.each([
  '/v1/../v1/status',
  '/v1/./status',
  '/../../../../etc/passwd',
  '/livez/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/v1/%2e%2e/livez',
  '/livez/%2e%2e',
  '/livez/..',
  '/livez/%2e%2e%2fetc',
  '//livez',
  '///',
  '/livez/',
  '/livez;x=1',
  '/LIVEZ',
  '/%6civez',
  '/v1\\status',
  '/v1/status%00',
  '/v1/names',
  '/v1/names/a/b',
])('%s is no path', async (path) => {
  expect(statuses(await say(sidecar.url, get(path)))).toEqual([404]);
});

test('a parameter of a path is one segment, whatever it decodes to', async () => {
  const name = async (segment: string) => await say(sidecar.url, get(`/v1/names/${segment}`));
  expect(await name('..%2f..%2fetc')).toContain('{"name":"../../etc"}');
  expect(await name('a%0d%0ax-injected:%201')).not.toMatch(/^x-injected/m);
  for (const malformed of ['%', '%zz', '%ff', '%c0%ae', '%00', 'a%00b'])
    expect([malformed, ...statuses(await name(malformed))]).toEqual([malformed, 400]);
});

describe('a change is refused', () => {
  const shutdown = (...headers: string[]) =>
    `POST /v1/shutdown HTTP/1.1\r\n${headers.join('\r\n')}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

  test.each([
    ['evil.example'],
    ['localhost.evil.example'],
    ['localhost.'],
    ['127.0.0.1.evil.example'],
    ['127.0.0.1.'],
    ['127.1'],
    ['2130706433'],
    ['0x7f000001'],
    ['localhost:80:80'],
    ['localhost:http'],
    ['localhost@evil.example'],
    ['evil.example@localhost'],
    ['localhost#evil.example'],
    ['localhost/evil.example'],
    ['[localhost]'],
    ['[::1'],
    ['[::1].evil.example'],
    [''],
  ])('for Host "%s"', async (host) => {
    expect(statuses(await say(sidecar.url, shutdown(`Host: ${host}`)))).toEqual([403]);
  });

  test.each([
    ['null'],
    [''],
    ['http://evil.example'],
    ['http://127.0.0.1'],
    ['http://127.0.0.1:1'],
    ['http://localhost:1'],
    ['http://evil.example:80, http://127.0.0.1'],
    ['file://'],
    ['chrome-extension://abc'],
  ])('for Origin "%s"', async (origin) => {
    expect(statuses(await say(sidecar.url, shutdown(`Host: ${own}`, `Origin: ${origin}`)))).toEqual([403]);
  });

  test('for two Origins, of which one is the own', async () => {
    const [self, other] = [`Origin: http://${own}`, 'Origin: http://evil.example'];
    expect(statuses(await say(sidecar.url, shutdown(`Host: ${own}`, self, other)))).toEqual([403]);
    expect(statuses(await say(sidecar.url, shutdown(`Host: ${own}`, other, self)))).toEqual([403]);
  });

  test.each(['cross-site', 'same-site'])('when the browser says it is %s', async (site) => {
    expect(statuses(await say(sidecar.url, shutdown(`Host: ${own}`, `Sec-Fetch-Site: ${site}`)))).toEqual([403]);
  });

  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.family === 'IPv4')?.address;
  test.skipIf(!address)('from an address that is not loopback, whatever its headers say', async () => {
    for (const lie of ['Forwarded: for=127.0.0.1', 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X: y'])
      for (const host of [own, `localhost:${port()}`, `${address}:${port()}`])
        expect(statuses(await say(sidecar.url, shutdown(`Host: ${host}`, lie), address))).toEqual([403]);
    expect(statuses(await say(sidecar.url, get('/readyz'), address))).toEqual([200]);
  });

  test.skipIf(!address)('from such an address also when it is mapped to IPv6', async () => {
    await using both = await startSidecar(import.meta.resolve('./fixtures/sample.ts'), [], { adminAddress: '[::]:0' });
    const { port } = new URL(both.url);
    const target = `http://${address}:${port}`;
    expect(statuses(await say(target, shutdown(`Host: 127.0.0.1:${port}`)))).toEqual([403]);
    // Loopback that is mapped in the same way is loopback.
    expect(statuses(await say(`http://127.0.0.1:${port}`, shutdown(`Host: 127.0.0.1:${port}`)))).toEqual([202]);
    expect(await both.exited).toEqual({ code: 0, signal: null });
  });
});

describe('sizes', () => {
  test.each([
    ['a header of 1 MB', () => get('/livez', `x: ${'a'.repeat(1_000_000)}`)],
    [
      '100,000 headers',
      () => get('/livez', Array.from({ length: 100_000 }, (_, index) => `x-${index}: a`).join('\r\n')),
    ],
    ['100,000 headers of one name', () => get('/livez', Array(100_000).fill('cookie: a=b').join('\r\n'))],
    ['a path of 1 MB', () => get(`/${'a'.repeat(1_000_000)}`)],
  ])('%s gets 431', async (_, bytes) => {
    expect(statuses(await say(sidecar.url, bytes()))).toEqual([431]);
    expect(grown()).toBeLessThan(mostMegabytes);
  });

  const json = 'Content-Type: application/json';
  test.each([
    ['with its length', 'POST /v1/items', [json, `Content-Length: ${2 ** 30}`], 413],
    ['in chunks', 'POST /v1/items', [json, 'Transfer-Encoding: chunked'], 413],
    ['for a route that takes none', 'POST /v1/parameters/reload', [`Content-Length: ${2 ** 30}`], 200],
    ['for no route', 'POST /nothing', ['Transfer-Encoding: chunked'], 404],
    ['with a probe', 'GET /livez', [`Content-Length: ${2 ** 30}`], 200],
  ])('a body of 1 GB %s is not taken, and the connection closed', async (_, line, headers, status) => {
    using client = await connectRaw(sidecar.url);
    client.socket.write(request(line, ...headers));
    const sent = await pour(
      client.socket,
      headers.some((each) => each.endsWith('chunked')),
      2 ** 30,
    );
    expect(statuses(await client.rest())).toEqual([status]);
    expect(sent).toBeLessThan(2 ** 30);
    expect(grown()).toBeLessThan(mostMegabytes);
  });

  test('a body of exactly what is allowed is taken', async () => {
    const text = JSON.stringify({ name: 'x', price: 1 }).padEnd(limits.bodyBytes);
    const taken = await say(sidecar.url, `${request('POST /v1/items', json, `Content-Length: ${text.length}`)}${text}`);
    expect(statuses(taken)).toEqual([201]);
    const more = request('POST /v1/items', json, `Content-Length: ${text.length + 1}`);
    expect(statuses(await say(sidecar.url, `${more}${text} `))).toEqual([413]);
  });
});

describe('numbers', () => {
  test('5,000 pipelined probes are all answered, in bounded memory', async () => {
    using client = await connectRaw(sidecar.url);
    client.socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4_999));
    client.socket.write(get('/readyz'));
    expect(statuses(await client.rest())).toEqual(Array(5_000).fill(200));
    expect(grown()).toBeLessThan(mostMegabytes);
  });

  test('thousands of pipelined requests behind one that never ends are refused, the others answered', async () => {
    using client = await connectRaw(sidecar.url);
    const name = (index: number) => `GET /v1/names/n${index} HTTP/1.1\r\nHost: a\r\n\r\n`;
    client.socket.write(
      `GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n${Array.from({ length: 5_000 }, (_, n) => name(n)).join('')}`,
    );
    expect((await sidecar.get('/livez')).status).toBe(200);
    expect(grown()).toBeLessThan(mostMegabytes);
  });

  test('pipelined requests are answered in their order, fast and slow ones alike', async () => {
    using client = await connectRaw(sidecar.url);
    const targets = ['/v1/names/a', '/livez', '/v1/items/7', '/readyz', '/metrics', '/startupz', '/v1/names/b'];
    client.socket.write(
      targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join('') + get('/nothing'),
    );
    const answer = await client.rest();
    expect(statuses(answer)).toEqual([...targets.map(() => 200), 404]);
    expect(answer).toMatch(/"a".*ok\n.*"id":7.*ok\n.*outrigger_build_info.*ok\n.*"b".*NOT_FOUND/s);
  });

  test('beside 10,000 idle connections, probes are answered and memory and sockets stay bounded', async () => {
    using idle = await connectMany(sidecar.url, 10_000);
    for (let probe = 0; probe < 20; probe++) expect(statuses(await say(sidecar.url, get('/readyz')))).toEqual([200]);
    expect(openSockets(sidecar.pid)).toBeLessThan(limits.connections + 50);
    expect(grown()).toBeLessThan(mostMegabytes);
    // Those who came last are still there.
    await until(() => idle.clients.filter(({ closed }) => closed).length >= 10_000 - limits.connections);
    expect(idle.clients.at(-1)?.closed).toBe(false);
  });

  test('beside thousands of heads that do not end, probes are answered and an event stream goes on', async () => {
    using stream = await connectRaw(sidecar.url);
    stream.socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
    await until(() => stream.received.includes('event: started'));
    using slow = await connectMany(sidecar.url, 3_000);
    for (const { socket } of slow.clients) socket.write(`GET /livez HTTP/1.1\r\nx: ${'a'.repeat(4_000)}`);
    for (let probe = 0; probe < 20; probe++) expect(statuses(await say(sidecar.url, get('/readyz')))).toEqual([200]);
    expect(stream.closed).toBe(false);
    expect(grown()).toBeLessThan(mostMegabytes);
  });

  test('of 1,000 probes at the same time, each on a connection of its own, all are answered', async () => {
    using many = await connectMany(sidecar.url, 1_000);
    for (const { socket } of many.clients) socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => many.clients.every(({ received }) => received.endsWith('ok\n')), { what: '1,000 answers' });
    expect(many.clients.some(({ closed }) => closed)).toBe(false);
  });
});

describe('peers that go', () => {
  test('one that sends no more after its request is answered', async () => {
    using client = await connectRaw(sidecar.url);
    client.socket.end(`GET /v1/names/a HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(statuses(await client.rest())).toEqual([200]);
  });

  test('one that goes in the middle of its head or body is forgotten', async () => {
    const before = openSockets(sidecar.pid);
    const body = request('POST /v1/items', 'Content-Type: application/json', 'Content-Length: 100');
    for (const part of ['', 'GET /liv', get('/livez').slice(0, -2), `${body}{"name`])
      for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
        using client = await connectRaw(sidecar.url);
        await new Promise((resolve) => client.socket.write(part || '\r\n', resolve));
        client.socket[leave]();
        await until(() => client.closed);
      }
    await until(() => openSockets(sidecar.pid) <= before);
  });

  test('one that goes while its handler works aborts it', async () => {
    const before = openSockets(sidecar.pid);
    const clients = await connectMany(sidecar.url, 50);
    for (const { socket } of clients.clients) socket.write(get('/v1/slow'));
    clients[Symbol.dispose]();
    await until(() => openSockets(sidecar.pid) <= before);
  });
});

/** Sends a body until all of it is sent or the other side has closed. Returns how many bytes were handed to the kernel. */
async function pour(socket: import('node:net').Socket, chunked: boolean, bytes: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024, 'a');
  const chunk = chunked ? Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]) : block;
  for (let sent = 0; sent < bytes && socket.writable; sent += block.length)
    if (!socket.write(chunk))
      await new Promise<void>((resolve) => {
        const go = () => {
          socket.off('drain', go).off('close', go);
          resolve();
        };
        socket.once('drain', go).once('close', go);
      });
  return socket.bytesWritten;
}
