import { connect } from 'node:tls';
import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemOf } from './bad-inputs/ways.ts';
import { H2cApplication } from './http2/grpc.ts';
import { answerOn, H2Client } from './http2/start.ts';
import { always, ask, dial, getAndClose, ok, Raw, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

type Listed = { readonly state: string; readonly protocol: string; readonly client: string };
const connectionsOf = async ({ sidecar }: RunningProxy): Promise<readonly Listed[]> =>
  (await (await sidecar.get('/v1/connections')).json()) as Listed[];

/** A handshake of TLS, and a request over it. */
async function askTls({ port, ca }: RunningProxy): Promise<string> {
  using client = new Raw(connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }));
  return await client.send(getAndClose).untilEnd();
}

describe.concurrent('handshakes', () => {
  let application: RawApplication;
  beforeAll(async () => {
    application = await RawApplication.open(always(ok));
  });
  afterAll(() => application[Symbol.asyncDispose]());

  test('beyond the limit cost the oldest its place, so that silent clients do not shut out others', async () => {
    const flags = ['--handshake-limit', '3', '--handshake-timeout', '60s'];
    await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
    const silent: Raw[] = [];
    for (let i = 0; i < 3; i++) {
      silent.push(await dial(proxy.port));
      await until(async () => (await connectionsOf(proxy)).length === i + 1);
    }
    expect(await connectionsOf(proxy)).toEqual(Array(3).fill(expect.objectContaining({ state: 'reading' })));
    const gone = () => silent.map(({ closed, ended }) => closed || ended);
    const refused = await proxy.growth('connections_refused_total', async () => {
      expect(await askTls(proxy)).toContain('200 OK');
      await until(() => gone()[0]);
      expect(gone()).toEqual([true, false, false]);
      // There is room now.
      expect(await askTls(proxy)).toContain('200 OK');
      expect(gone()).toEqual([true, false, false]);
    });
    expect(refused).toBe(1);
    for (const client of silent) client[Symbol.dispose]();
    await until(async () => (await connectionsOf(proxy)).length === 0);
    // Each way out of a handshake has given its place back, or there would be fewer left now.
    const more = await proxy.growth('connections_refused_total', async () => {
      for (const octets of ['nonsense', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x05hello'])
        for (let i = 0; i < 3; i++) {
          using client = await dial(proxy.port);
          await client.send(octets).untilEnd();
        }
      expect(await askTls(proxy)).toContain('200 OK');
    });
    expect(more).toBe(0);
  });

  test.each([
    ['', []],
    ['PROXY UNKNOWN\r\n', ['--accept-proxy-protocol']],
  ])('of a crowd are never more than the limit, which is said once (after "%s")', async (preface, more) => {
    const flags = ['--handshake-limit', '4', '--handshake-timeout', '60s', ...more];
    await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
    const crowd = await Promise.all(Array.from({ length: 60 }, () => dial(proxy.port)));
    const refused = 'connections_refused_total';
    await proxy.growth(refused, async () => {
      for (const client of crowd) client.send(preface);
      await until(async () => (await proxy.metric(refused)) >= 56);
    });
    await until(() => crowd.filter(({ closed, ended }) => closed || ended).length === 56);
    expect(await connectionsOf(proxy)).toHaveLength(4);
    expect([await proxy.metric(refused), await proxy.metric('handshake_failures_total')]).toEqual([56, 56]);
    const said = proxy.sidecar.logs().filter(({ level }) => level === 'warn');
    expect(said).toMatchObject([{ message: expect.stringContaining('TLS handshakes'), handshakeLimit: 4 }]);
    for (const client of crowd) client[Symbol.dispose]();
  });

  test('that fail are counted once each and said with the cause, however they fail', async () => {
    const flags = ['--handshake-timeout', '300ms'];
    await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
    const begin = '\x16\x03\x01\x02';
    const ways: Record<string, (client: Raw) => unknown> = {
      'read ECONNRESET': (client) => client.send(begin).socket.resetAndDestroy(),
      'the client has ended': (client) => client.send(begin).socket.end(),
      'it took too long': (client) => client.send(begin),
      'wrong version number': (client) => client.send('rubbish rubbish rubbish'),
    };
    const causes = () => proxy.sidecar.logs().flatMap(({ message, cause }) => (/^TLS/.test(message) ? [cause] : []));
    for (const [cause, act] of Object.entries(ways)) {
      const before = causes().length;
      const failed = await proxy.growth('handshake_failures_total', async () => {
        using client = await dial(proxy.port);
        await until(async () => (await connectionsOf(proxy)).length === 1);
        act(client);
        await until(async () => (await connectionsOf(proxy)).length === 0);
      });
      expect([failed, causes().length - before]).toEqual([1, 1]);
      expect(causes().at(-1)).toContain(cause);
    }
  });

  test('do not count once they are over: as many clients as there may be connections stay', async () => {
    const flags = ['--handshake-limit', '1'];
    await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
    const clients: H2Client[] = [];
    for (let i = 0; i < 5; i++) clients.push(await H2Client.open(proxy.port));
    for (const client of clients) expect((await client.get('/')).status).toBe(200);
    for (const client of clients) client[Symbol.dispose]();
  });

  test('that time out make room again', async () => {
    const flags = ['--handshake-limit', '2', '--handshake-timeout', '300ms'];
    await using proxy = await startProxy({ upstream: application.url, tls: true, flags });
    for (let round = 0; round < 3; round++) {
      const failed = await proxy.growth('handshake_failures_total', async () => {
        const silent = await Promise.all([dial(proxy.port), dial(proxy.port)]);
        for (const client of silent) await until(() => client.closed || client.ended);
        for (const client of silent) client[Symbol.dispose]();
        // A client can see its end before the proxy has counted it.
        await until(async () => (await connectionsOf(proxy)).length === 0);
      });
      expect(failed).toBe(2);
    }
    expect(await askTls(proxy)).toContain('200 OK');
  });

  test('without TLS there are none, and no limit of them', async () => {
    const flags = ['--handshake-limit', '1', '--handshake-timeout', '50ms', '--head-timeout', '60s'];
    await using proxy = await startProxy({ upstream: application.url, flags });
    const clients = await Promise.all(Array.from({ length: 5 }, () => dial(proxy.port)));
    for (const client of clients) expect(await client.send(getAndClose).untilEnd()).toContain('200 OK');
  });
});

describe.concurrent('a body that drips', { timeout: 40_000 }, () => {
  let application: RawApplication;
  let plain: RunningProxy;
  let secure: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open();
    const flags = ['--body-minimum-rate', '100B'];
    [plain, secure] = await Promise.all(
      [false, true].map((tls) => startProxy({ upstream: application.url, tls, flags })) as [
        Promise<RunningProxy>,
        Promise<RunningProxy>,
      ],
    );
  });
  afterAll(async () => {
    await Promise.all([plain[Symbol.asyncDispose](), secure[Symbol.asyncDispose]()]);
    await application[Symbol.asyncDispose]();
  });
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';

  test('has ten seconds to begin, and then its average; one that is fast enough goes on', async () => {
    using slow = await dial(plain.port);
    using chunked = await dial(plain.port);
    using fast = await dial(plain.port);
    using client = await H2Client.open(secure.port);
    slow.send(post);
    chunked.send(post.replace('Content-Length: 100000', 'Transfer-Encoding: chunked'));
    fast.send(post);
    const stream = client.request({ ':path': '/', ':method': 'POST' }, false);
    const answered = answerOn(stream);
    const start = performance.now();
    let ended = 0;
    const drops = setInterval(() => {
      // 4, 10 and 2,000 octets a second: fast enough even if the machine lets it come only now and then.
      if (!slow.ended) slow.send('x');
      if (!chunked.ended) chunked.send('2\r\nxx\r\n');
      fast.send('x'.repeat(500));
      if (!stream.closed && !stream.destroyed) stream.write('x');
    }, 250);
    const ends = [slow, chunked].map(async (each) => {
      const answer = await until(() => each.ended && each.text, { deadline: 20_000 });
      ended = performance.now() - start;
      return answer;
    });
    for (const answer of await Promise.all(ends)) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*\r\nConnection: close\r\n/);
      expect(problemOf(answer)).toMatchObject({ status: 408, reason: 'body_timeout' });
    }
    expect(ended).toBeGreaterThan(9_900);
    expect(ended).toBeLessThan(14_000);
    const { status, body } = await answered;
    expect({ status, reason: JSON.parse(body).reason }).toEqual({ status: 408, reason: 'body_timeout' });
    expect(fast.length).toBe(0);
    expect(fast.ended).toBe(false);
    clearInterval(drops);
    const whole = application.connections.filter(({ ended }) => !ended);
    expect(whole).toHaveLength(1);
  });

  test('to an application of HTTP/2 has no more, but for gRPC, whose clients say when it is enough', async () => {
    const codes: number[] = [];
    let whole = '';
    await using modern = await H2cApplication.open((stream, { ':path': path }) => {
      stream.on('close', () => codes.push(stream.rstCode));
      stream.on('data', (octets: Buffer) => {
        if (path === '/fast') whole += octets;
      });
      stream.on('end', () => stream.destroyed || stream.respond({ ':status': 200 }, { endStream: true }));
    });
    const flags = ['--body-minimum-rate', '100B'];
    await using open = await startProxy({ upstream: modern.url, flags });
    await using closed = await startProxy({ upstream: modern.url, tls: true, flags });
    using slow = await dial(open.port);
    using fast = await dial(open.port);
    using client = await H2Client.open(closed.port);
    const start = performance.now();
    slow.send(post);
    fast.send(post.replace('/', '/fast').replace('100000', '20000'));
    const stream = client.request({ ':path': '/', ':method': 'POST' }, false);
    const call = client.request({ ':path': '/', ':method': 'POST', 'content-type': 'application/grpc' }, false);
    const [answered, called] = [answerOn(stream), answerOn(call)];
    // 4 and 200 octets a second.
    const drops = setInterval(() => {
      if (!slow.ended) slow.send('x');
      fast.send('x'.repeat(50));
      for (const each of [stream, call]) if (!each.closed && !each.destroyed) each.write('x');
    }, 250);
    const answer = await until(() => slow.ended && slow.text, { deadline: 20_000 });
    const { status, body } = await answered;
    clearInterval(drops);
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(9_900);
    expect(took).toBeLessThan(14_000);
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*\r\nConnection: close\r\n/);
    expect(problemOf(answer)).toMatchObject({ status: 408, reason: 'body_timeout' });
    expect({ status, reason: JSON.parse(body).reason }).toEqual({ status: 408, reason: 'body_timeout' });
    await until(() => codes.length === 2);
    expect(codes).toEqual([8, 8]);
    call.end();
    expect(await called).toMatchObject({ status: 200, code: 0 });
    fast.send('x'.repeat(20_000));
    await fast.until('200 OK');
    expect(whole).toHaveLength(20_000);
  });

  test('because the application does not take it has the time it needs', async () => {
    // Nobody reads: what is held back is not the client's doing.
    await using idle = await RawApplication.open();
    // Fast enough is nobody.
    const flags = ['--body-minimum-rate', '1024MiB'];
    await using proxy = await startProxy({ upstream: idle.url, flags });
    using client = await dial(proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${(1 << 26) + 1}\r\n\r\n`);
    const connection = await until(() => idle.connections[0]);
    connection.socket.pause();
    client.send(Buffer.alloc(1 << 26));
    const start = performance.now();
    await until(async () => (await connectionsOf(proxy)).some(({ state }) => state === 'active'));
    await until(() => performance.now() - start > 11_000, { deadline: 12_000 });
    expect(client.ended || client.closed).toBe(false);
    connection.socket.resume();
    await until(() => connection.length > 1 << 26, { deadline: 30_000 });
    // Looked at again a few times, with one octet to go.
    await until(() => performance.now() - start > 12_500);
    expect(client.length).toBe(0);
    client.send('x');
    await until(() => connection.text.endsWith('x'));
    connection.send(ok);
    await client.until('200 OK');
  });
});

test.concurrent('a rate of 0 lets a body take its time, as long as it moves', async () => {
  await using application = await RawApplication.open();
  const flags = ['--body-minimum-rate', '0', '--client-timeout', '400ms'];
  await using proxy = await startProxy({ upstream: application.url, flags });
  using client = await dial(proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  for (let i = 1; i <= 3; i++) {
    client.send('x');
    await until(() => application.connections[0]?.text.endsWith('x'.repeat(i)));
  }
  expect(await client.untilEnd()).toMatch(/^HTTP\/1\.1 408 /);
});

test.concurrent('plain HTTP on the port of HTTPS is told so, over each protocol that an application may speak', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, tls: true });
  const refusals = await proxy.growth('refusals_total{reason="plain_http"}', async () => {
    const answer = await ask(proxy.port, getAndClose);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\nConnection: close\r\n/);
    expect(problemOf(answer)).toMatchObject({ code: 'PROXY_REQUEST_REFUSED', reason: 'plain_http' });
  });
  expect(refusals).toBe(1);
  await until(async () => (await connectionsOf(proxy)).length === 0);
  expect(application.connections).toEqual([]);
  await using tcp = await startProxy({
    upstream: application.url.replace('http:', 'tcp:'),
    tls: true,
    flags: ['--mode', 'tcp'],
  });
  expect(await ask(tcp.port, getAndClose)).not.toContain('HTTP/1.1');
});
