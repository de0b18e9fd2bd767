import type { Socket } from 'node:net';
import { freePort, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpApplication } from './http-application.ts';
import { always, ask, dial, get, getAndClose, ok, RawApplication, type Serve } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const rss = async (proxy: RunningProxy) =>
  Number(/process_resident_memory_bytes (\d+)/.exec(await (await proxy.sidecar.get('/metrics')).text())![1]);

describe('an application on raw sockets', () => {
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
  const become = async (serve?: Serve) => {
    application.become(serve ?? (() => undefined));
    await proxy.settled();
  };

  test('that is too fast for its client is held back, and the proxy keeps little', async () => {
    await become((connection) => {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`);
      pour(connection.socket);
    });
    const before = await rss(proxy);
    using client = await dial(proxy.port);
    client.send(get).socket.pause();
    const { socket } = await until(() => application.connections[0]);
    await steady(() => socket.bytesWritten);
    expect(socket.bytesWritten).toBeLessThan(64 << 20);
    expect((await rss(proxy)) - before).toBeLessThan(32 << 20);
  });

  test('that is too slow for its client holds it back, and the proxy keeps little', async () => {
    await become();
    const before = await rss(proxy);
    using client = await dial(proxy.port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 30}\r\n\r\n`);
    const connection = await until(() => application.connections[0]);
    connection.socket.pause();
    pour(client.socket);
    const sent = () => client.socket.bytesWritten - client.socket.writableLength;
    await steady(sent);
    expect(sent()).toBeLessThan(64 << 20);
    expect((await rss(proxy)) - before).toBeLessThan(32 << 20);
  });

  test('that breaks off its response has the client cut off, not ended cleanly', async () => {
    await become((connection) => {
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123').socket.end();
    });
    using client = await dial(proxy.port);
    client.send(get);
    await until(() => client.closed);
    expect(client.error?.code).toBe('ECONNRESET');
    expect(client.ended).toBe(false);
  });

  test('that closes without an answer is answered for with 502', async () => {
    await become((connection) => connection.socket.end());
    expect(await ask(proxy.port, getAndClose)).toMatch(/^HTTP\/1\.1 502 [\s\S]*"code":"PROXY_UPSTREAM_CLOSED"/);
  });

  test('is reached before 100 Continue is said, and not asked for it', async () => {
    await become((connection) => {
      if (connection.text.endsWith('hello')) connection.send(ok);
    });
    using client = await dial(proxy.port);
    await client.send(expecting).until('HTTP/1.1 100 Continue\r\n\r\n');
    await client.send('hello').until(ok);
    expect(client.text.match(/100 Continue/g)).toHaveLength(1);
    expect(application.connections[0]!.text).not.toMatch(/expect/i);
  });

  test('is told when the client leaves', async () => {
    await become();
    const client = await dial(proxy.port);
    const abandoned = await proxy.growth('abandoned_total', async () => {
      client.send(get);
      const connection = await until(() => application.connections[0]);
      client.socket.resetAndDestroy();
      await connection.untilEnd();
    });
    expect(abandoned).toBe(1);
  });

  test('gets what the client sends, and every octet is counted', async () => {
    await become(always(ok));
    using client = await dial(proxy.port);
    const before = {
      received: await proxy.metric('received_bytes_total'),
      sent: await proxy.metric('sent_bytes_total'),
    };
    const durations = await proxy.growth('request_duration_seconds_count', () => client.send(get).until('ok'));
    expect(durations).toBe(1);
    expect(await proxy.metric('received_bytes_total')).toBe(before.received + get.length);
    expect(await proxy.metric('sent_bytes_total')).toBe(before.sent + client.length);
    expect(await proxy.metric('open_connections{state="idle"}')).toBeGreaterThanOrEqual(1);
    expect(await proxy.metric('open_upstream_connections{state="idle"}')).toBe(1);
  });
});

const expecting = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';

/** Writes for ever, as fast as it is taken. */
function pour(socket: Socket): void {
  const block = Buffer.alloc(1 << 20);
  const more = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', more);
  more();
}

/** Resolves once a number has stopped growing. */
async function steady(measure: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until(
    () => {
      const now = measure();
      same = now === last && now > 0 ? same + 1 : 0;
      last = now;
      return same >= 10;
    },
    { what: 'the flow to stop' },
  );
}

test('an application that is down is answered for with 502, and works as soon as it is up', async () => {
  const port = await freePort();
  await using proxy = await startProxy({ upstream: `http://127.0.0.1:${port}` });
  using client = await dial(proxy.port);
  {
    await using _first = await httpApplication((_, response) => response.end('up for now'), port);
    expect(await ask(proxy.port, getAndClose)).toContain('up for now');
  }
  const down = await client.send(get).until('}');
  expect(down).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(down).toContain('\r\nContent-Type: application/problem+json\r\n');
  expect(JSON.parse(down.slice(down.indexOf('\r\n\r\n') + 4))).toEqual({
    type: 'about:blank',
    title: 'Bad Gateway',
    status: 502,
    code: 'PROXY_UPSTREAM_DOWN',
    detail: 'The application cannot be reached',
  });
  expect(await ask(proxy.port, getAndClose.replace('GET', 'HEAD'))).toMatch(/^HTTP\/1\.1 502 [\s\S]*\r\n\r\n$/);
  expect(await ask(proxy.port, expecting)).toMatch(/^HTTP\/1\.1 502 /);
  await using _application = await httpApplication((_, response) => response.end('up again'), port);
  await client.send(get).until('up again');
  const said = proxy.sidecar.logs().map(({ code, message }) => code ?? message);
  expect(said.filter((each) => each === 'PROXY_UPSTREAM_DOWN')).toHaveLength(1);
  expect(said).toContain('The application answers again');
  expect(await proxy.metric('upstream_errors_total{reason="connect"}')).toBe(3);
});

test('until an application has answered for the first time, clients are asked to come back', async () => {
  const port = await freePort();
  await using proxy = await startProxy({ upstream: `http://127.0.0.1:${port}` });
  const early = await ask(proxy.port, getAndClose);
  expect(early).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n[\s\S]*"code":"PROXY_UPSTREAM_STARTING"/);
  await using _application = await httpApplication((_, response) => response.end('up'), port);
  expect(await ask(proxy.port, getAndClose)).toMatch(/^HTTP\/1\.1 200 /);
});

test('an application that does not answer in time is answered for with 504', async () => {
  await using silent = await RawApplication.open();
  await using proxy = await startProxy({ upstream: silent.url, flags: ['--upstream-timeout', '300ms'] });
  expect(await ask(proxy.port, getAndClose)).toMatch(/^HTTP\/1\.1 504 [\s\S]*"code":"PROXY_UPSTREAM_TIMEOUT"/);
  await silent.connections[0]!.untilEnd();
});
