// What anybody on the Pod's network can say to the admin listener: the answer it gets, and that nothing was changed by it.
// What costs memory is in admin-flood.test.ts, what costs time in admin-slow.test.ts.

import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { startSidecar, until } from '../src/testing/index.ts';
import { connectRaw, get, own, request, say, statuses } from './support/raw-client.ts';
import { useVictim } from './support/victim.ts';

const victim = useVictim();
const port = () => new URL(victim.sidecar.url).port;

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
    const answer = await say(victim.sidecar.url, bytes);
    expect(statuses(answer)).toEqual([400]);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
  });

  test('in a chunked body, within bounded time', async () => {
    const body = 'content-type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnothing\r\n';
    const [status] = statuses(await say(victim.sidecar.url, `POST /v1/items HTTP/1.1\r\nHost: ${own}\r\n${body}`));
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
      const answer = await say(victim.sidecar.url, `GET /livez HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${hidden}`);
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
    expect(statuses(await say(victim.sidecar.url, bytes))).toEqual([status]);
  });

  test('the absolute form is served for the own Host and refused for another', async () => {
    expect(statuses(await say(victim.sidecar.url, get(`http://${own}/livez`)))).toEqual([200]);
    expect(statuses(await say(victim.sidecar.url, get('http://elsewhere.example/livez')))).toEqual([400]);
    const twofold = request(`POST http://${own}/v1/shutdown`).replace(`Host: ${own}`, 'Host: evil.example');
    expect(statuses(await say(victim.sidecar.url, twofold))).toEqual([400]);
  });

  test('a refused body is never asked for, an accepted one is', async () => {
    const asking = ['Content-Type: application/json', 'Content-Length: 24', 'Expect: 100-continue'];
    expect(statuses(await say(victim.sidecar.url, request('POST /nothing', ...asking)))).toEqual([404]);
    using client = await connectRaw(victim.sidecar.url);
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
  expect(statuses(await say(victim.sidecar.url, get(path)))).toEqual([404]);
});

test('a parameter of a path is one segment, whatever it decodes to', async () => {
  const name = async (segment: string) => await say(victim.sidecar.url, get(`/v1/names/${segment}`));
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
    expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${host}`)))).toEqual([403]);
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
    expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${own}`, `Origin: ${origin}`)))).toEqual([403]);
  });

  test('for two Origins, of which one is the own', async () => {
    const [self, other] = [`Origin: http://${own}`, 'Origin: http://evil.example'];
    expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${own}`, self, other)))).toEqual([403]);
    expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${own}`, other, self)))).toEqual([403]);
  });

  test.each(['cross-site', 'same-site'])('when the browser says it is %s', async (site) => {
    expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${own}`, `Sec-Fetch-Site: ${site}`)))).toEqual([403]);
  });

  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.family === 'IPv4')?.address;
  test.skipIf(!address)('from an address that is not loopback, whatever its headers say', async () => {
    for (const lie of ['Forwarded: for=127.0.0.1', 'X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X: y'])
      for (const host of [own, `localhost:${port()}`, `${address}:${port()}`])
        expect(statuses(await say(victim.sidecar.url, shutdown(`Host: ${host}`, lie), address))).toEqual([403]);
    expect(statuses(await say(victim.sidecar.url, get('/readyz'), address))).toEqual([200]);
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
