import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { INVALID, MORE, readProxyHeader, writeProxyHeader } from '../../src/proxy-protocol.ts';
import { type Endpoints, endpointsOf } from '../../src/tcp/address.ts';
import { dial, type Raw, RawApplication, type Serve } from '../raw.ts';
import { startProxy } from '../start-proxy.ts';
import { type RunningTcp, startTcp } from './start-tcp.ts';

const said: Endpoints = {
  source: { host: '203.0.113.9', port: 40_001 },
  destination: { host: '2001:db8::443', port: 443 },
};
const greeting: Serve = (connection, arrived) => connection.send(`got ${arrived.length}`);

let application: RawApplication;
beforeAll(async () => {
  application = await RawApplication.open();
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
});
beforeEach(() => application.become(greeting));

/** The header that the application got, and what came after it. */
async function delivered(
  connection: Raw,
  end: string,
): Promise<{ endpoints?: Endpoints; rest: string; header: Buffer }> {
  await connection.until(end);
  const { received } = connection;
  const outcome = readProxyHeader(received, 0, received.length);
  if (outcome === MORE || outcome === INVALID) throw new Error(`no header: ${connection.text}`);
  const { endpoints, next } = outcome;
  return {
    ...(endpoints && { endpoints }),
    rest: received.toString('latin1', next),
    header: received.subarray(0, next),
  };
}

const accepted = () => until(() => application.connections[0], { what: 'the connection at the application' });

describe.each([
  ['plain', false],
  ['with TLS', true],
])('a header before a connection %s', (_, tls) => {
  let proxy: RunningTcp;
  beforeAll(async () => {
    const flags = ['--accept-proxy-protocol', '--send-proxy-protocol', 'v2'];
    proxy = await startTcp({ upstream: application.url, tls, flags });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
  });

  test.each(['v1', 'v2'] as const)('in %s says who the client is, to us and to the application', async (version) => {
    using client = await proxy.dialAfter(writeProxyHeader(version, said));
    client.send('hello');
    const { endpoints, rest } = await delivered(await accepted(), 'hello');
    expect({ endpoints, rest }).toEqual({ endpoints: said, rest: 'hello' });
    expect((await proxy.connections())[0]).toMatchObject({ client: '203.0.113.9:40001', state: 'tunnel' });
  });

  test.each([
    ['v1, unknown', Buffer.from('PROXY UNKNOWN\r\n')],
    ['v2, LOCAL', Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')],
  ])('%s leaves it to the socket', async (_, header) => {
    using client = await proxy.dialAfter(header);
    client.send('hello');
    const { endpoints } = await delivered(await accepted(), 'hello');
    expect(endpoints?.source).toEqual({ host: '127.0.0.1', port: client.socket.localPort });
    expect(endpoints?.destination).toEqual({ host: '127.0.0.1', port: proxy.port });
  });

  test('version 2 to the application says what there is to say of TLS', async () => {
    using client = await proxy.dialAfter(writeProxyHeader('v1', said));
    client.send('hello');
    const { header } = await delivered(await accepted(), 'hello');
    const text = header.toString('latin1');
    expect([text.includes('TLSv1.3'), text.includes('localhost')]).toEqual([tls, tls]);
  });
});

describe('without TLS', () => {
  let proxy: RunningTcp;
  beforeAll(async () => {
    const flags = ['--accept-proxy-protocol', '--handshake-timeout', '700ms'];
    proxy = await startTcp({ upstream: application.url, flags });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
  });

  test.each(['v1', 'v2'] as const)('a header in %s and octets after it, one by one or at once', async (version) => {
    const octets = Buffer.concat([writeProxyHeader(version, said), Buffer.from('hello')]);
    for (const size of [1, 7, octets.length]) {
      application.become(greeting);
      using client = await dial(proxy.port);
      for (let at = 0; at < octets.length; at += size) {
        client.send(octets.subarray(at, at + size));
        // So that they come on their own.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const connection = await accepted();
      await connection.until('hello');
      expect(connection.text).toBe('hello');
    }
  });

  test('an end right after the header and the octets is an end', async () => {
    using client = await dial(proxy.port);
    client.socket.end(Buffer.concat([writeProxyHeader('v2', said), Buffer.from('hello')]));
    const connection = await accepted();
    expect(await connection.untilEnd()).toBe('hello');
    connection.send('bye').socket.end();
    expect(await client.untilEnd()).toMatch(/bye$/);
  });

  test.each<[string, string | Buffer]>([
    ['none', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['one that is wrong', 'PROXY TCP4 192.0.2.1 198.51.100.2 1 99999\r\nhello'],
    ['one that is too long', `PROXY UNKNOWN ${'x'.repeat(200)}`],
    ['one with a bad vector', Buffer.from('0d0a0d0a000d0a515549540a21110010c0000201c63364020001000202ffffff', 'hex')],
    ['one for datagrams', Buffer.from('0d0a0d0a000d0a515549540a2112000cc0000201c633640200010002', 'hex')],
  ])('%s closes the connection without an answer, and the application sees nothing of it', async (_, octets) => {
    const refusals = await proxy.metric('refusals_total{reason="proxy_header"}');
    using client = await dial(proxy.port);
    client.send(octets);
    await until(() => client.closed || client.ended);
    expect(client.length).toBe(0);
    await until(async () => (await proxy.connections()).length === 0);
    expect(await proxy.metric('refusals_total{reason="proxy_header"}')).toBe(refusals + 1);
    expect(application.connections).toEqual([]);
  });

  test('half of one, and then the end, closes the connection', async () => {
    using client = await dial(proxy.port);
    client.socket.end('PROXY TCP4 192.0.2.1');
    await client.untilEnd();
    await until(async () => (await proxy.connections()).length === 0);
    expect(application.connections).toEqual([]);
  });

  test('one that does not come, or drips in, is waited for so long and no longer', async () => {
    using silent = await dial(proxy.port);
    using dripping = await dial(proxy.port);
    expect((await until(async () => (await proxy.connections())[0])).state).toBe('reading');
    dripping.send('PROXY UNKNOWN ');
    // 93 octets more would be too long.
    let sent = 0;
    await until(() => {
      if (dripping.ended || dripping.closed) return true;
      if (sent++ < 90) dripping.send('x');
      return false;
    });
    await until(() => silent.ended || silent.closed);
    expect(await proxy.metric('refusals_total{reason="proxy_header_timeout"}')).toBe(2);
    expect(application.connections).toEqual([]);
  });

  test('a reset in the middle of one leaves nothing', async () => {
    const client = await dial(proxy.port);
    client.send('PROXY ');
    await until(async () => (await proxy.connections()).length === 1);
    client.socket.resetAndDestroy();
    await until(async () => (await proxy.connections()).length === 0);
  });

  test('SIGTERM does not wait for one', async () => {
    await using other = await startTcp({ upstream: application.url, flags: ['--accept-proxy-protocol'] });
    using client = await dial(other.port);
    await until(async () => (await other.connections()).length === 1);
    other.sidecar.kill('SIGTERM');
    expect(await other.sidecar.exited).toMatchObject({ code: 0 });
    await until(() => client.ended || client.closed);
  });
});

test.each(['v1', 'v2'] as const)('without one, --send-proxy-protocol %s says where the client is', async (version) => {
  await using proxy = await startTcp({ upstream: application.url, flags: ['--send-proxy-protocol', version] });
  using client = await proxy.dial();
  const meant = endpointsOf(client.socket);
  const { endpoints, rest } = await delivered(await accepted(), version === 'v1' ? '\r\n' : 'QUIT\n');
  expect(rest).toBe('');
  expect(endpoints).toEqual({ source: meant?.destination, destination: meant?.source });
});

describe('with trusted proxies', () => {
  const lie = writeProxyHeader('v1', { source: { host: '10.1.1.1', port: 1 }, destination: said.source });
  const reason = 'refusals_total{reason="proxy_header_sender"}';

  test('others may not say who a client is, not even that it is such a proxy', async () => {
    const flags = ['--accept-proxy-protocol', '--trusted-proxies', '10.0.0.0/8'];
    for (const tls of [false, true]) {
      await using proxy = await startTcp({ upstream: application.url, tls, flags });
      const refused = await proxy.growth(reason, async () => {
        using client = await dial(proxy.port);
        client.send(lie).send('hello');
        await until(() => client.closed || client.ended);
        expect(client.length).toBe(0);
      });
      expect(refused).toBe(1);
      expect(await proxy.connections()).toEqual([]);
    }
    expect(application.connections).toEqual([]);
  });

  test('they may, without being believed in the name of a client that is not one', async () => {
    application.become((connection) => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    const flags = ['--accept-proxy-protocol', '--trusted-proxies', '127.0.0.1'];
    await using proxy = await startProxy({ upstream: application.url, flags });
    const get = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n';
    using client = await dial(proxy.port);
    await client.send(lie).send(get).until('ok');
    expect(application.connections[0]?.text).toContain('\r\nX-Forwarded-For: 10.1.1.1\r\n');
    expect(await proxy.metric(reason)).toBe(0);
  });
});
