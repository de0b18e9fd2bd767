import { writeFile } from 'node:fs/promises';
import { freePort, scratch, startSidecar, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeProxyHeader } from '../src/proxy-protocol.ts';
import { dialTls } from './bad-inputs/ways.ts';
import { H2Client } from './http2/start.ts';
import { always, ask, dial, get, getAndClose, ok, RawApplication } from './raw.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ sidecar }: Pick<RunningProxy, 'sidecar'>): Line[] =>
  sidecar.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** The line of the request for this path, once it is there. */
const lineOf = (proxy: RunningProxy, path: string): Promise<Line> =>
  until(() => linesOf(proxy).find((line) => line.path === path), { what: () => `${path} in ${proxy.sidecar.stdout}` });

describe('one proxy before an application that answers everything', () => {
  let application: RawApplication;
  let proxy: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open(always(ok));
    proxy = await startProxy({ upstream: application.url, tls: true, flags: ['--access-log', 'on'] });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });

  test('a request has a line, with what it was, what became of it and how long it took', async () => {
    using client = await H2Client.open(proxy.port);
    const before = Date.now();
    await client.get('/first?token=secret', {
      authorization: 'Bearer secret',
      cookie: 'sid=secret',
      referer: 'secret',
    });
    const line = await lineOf(proxy, '/first');
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      ...{ method: 'GET', path: '/first', host: 'example.com', protocol: 'HTTP/2', status: 200, rule: 'otherwise' },
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      upstream: new URL(application.url).host,
      ...{ receivedBytes: 0, sentBytes: 2, seconds: expect.any(Number) },
    });
    expect(Date.parse(line.time as string)).toBeGreaterThanOrEqual(before);
    expect(line.seconds).toBeLessThan((Date.now() - before) / 1000 + 0.001);
    expect(proxy.sidecar.stdout).not.toContain('secret');
  });
});

describe('over plain HTTP', () => {
  let application: RawApplication;
  let proxy: RunningProxy;
  beforeAll(async () => {
    application = await RawApplication.open(always(ok));
    proxy = await startProxy({
      upstream: application.url,
      flags: ['--access-log', 'on', '--upstream-timeout', '300ms'],
    });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });
  const send = (line: string, ...fields: string[]) =>
    ask(proxy.port, [line, 'Host: a.example', 'Connection: close', ...fields, '', ''].join('\r\n'));

  test.each([
    ['a query', 'GET /query?api_key=hunter2'],
    ['the absolute form', 'GET http://a.example/absolute?api_key=hunter2'],
    ['a field', 'GET /field'],
  ])('no secret of %s is in it', async (_, line) => {
    await send(`${line} HTTP/1.1`, 'Authorization: Basic hunter2', 'Cookie: hunter2', 'X-Api-Key: hunter2');
    await lineOf(proxy, /\/[a-z]+(?=$|\?)/.exec(line)![0]);
    expect(proxy.sidecar.stdout).not.toContain('hunter2');
    expect(proxy.sidecar.stderr).not.toContain('hunter2');
  });

  test.each([
    ['the path', 'GET /p"},{"path":"x\'%0a%0d{} HTTP/1.1', '', '/p"},{"path":"x\'%0a%0d{}'],
    ['the trace', 'GET /t HTTP/1.1', 'traceparent: "}\t\x85\xff{"time":0}', '/t'],
    ['the method', "GE'T`|~ /m HTTP/1.1", '', '/m'],
  ])('nothing in %s makes a second line, or a member', async (_, line, field, path) => {
    const before = linesOf(proxy).length;
    await send(line, ...(field ? [field] : []));
    const written = await lineOf(proxy, path);
    expect(linesOf(proxy)).toHaveLength(before + 1);
    expect(written).toMatchObject({ host: 'a.example', status: 200 });
    if (field) expect(written.traceparent).toBe('"}\t\x85\xff{"time":0}');
  });

  test.each([
    ['GET /a\rb HTTP/1.1', 'request_line'],
    ['GET /a HTTP/1.1\r\nX: \x1b[2J\n{"level":"fatal"}', 'line_end'],
  ])('a head that cannot be read, such as %j, has a line without anything of it', async (head, reason) => {
    const before = linesOf(proxy).length;
    await ask(proxy.port, `${head}\r\nHost: a\r\n\r\n`);
    const line = await until(() => linesOf(proxy)[before]);
    expect(line).toMatchObject({ method: '', path: '', host: '', status: 400, receivedBytes: 0 });
    expect(typeof line.reason, reason).toBe('string');
    expect(proxy.sidecar.stdout).not.toContain('fatal');
  });

  test('a client that leaves has 499, an application that fails what it was answered with', async () => {
    application.become(() => undefined);
    const client = await dial(proxy.port);
    client.send('GET /leaves HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => application.connections[0]);
    client.socket.resetAndDestroy();
    expect(await lineOf(proxy, '/leaves')).toMatchObject({ status: 499, reason: 'abandoned', sentBytes: 0 });
    await send('GET /late HTTP/1.1');
    expect(await lineOf(proxy, '/late')).toMatchObject({ status: 504, reason: 'upstream_timeout' });
    application.become((connection) => connection.socket.end());
    await send('GET /closes HTTP/1.1');
    expect(await lineOf(proxy, '/closes')).toMatchObject({ status: 502, reason: 'upstream_closed' });
    application.become((connection) => {
      connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf').socket.end();
    });
    await send('GET /half HTTP/1.1');
    expect(await lineOf(proxy, '/half')).toMatchObject({ status: 200, reason: 'upstream_closed' });
    application.become(always(ok));
  });

  test('octets of bodies are counted both ways', async () => {
    const body = 'x'.repeat(100_000);
    await send(`POST /much HTTP/1.1`, `Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(await lineOf(proxy, '/much')).toMatchObject({ method: 'POST', receivedBytes: 100_000 });
  });
});

describe.each(['http', 'h2c'])('before an application that speaks %s', (protocol) => {
  test('what the proxy answers by itself has the size of what was sent', async () => {
    const upstream = `${protocol}://127.0.0.1:${await freePort()}`;
    await using proxy = await startProxy({ upstream, tls: true, flags: ['--access-log', 'on', '--body-limit', '9B'] });
    using client = await H2Client.open(proxy.port);
    const { status, body } = await client.get('/stream');
    expect(await lineOf(proxy, '/stream')).toMatchObject({
      status,
      sentBytes: body.length,
      upstream: new URL(upstream).host,
    });
    expect({ status, size: body.length > 100 }).toEqual({ status: 503, size: true });
    const sizeOf = async (...lines: string[]) => {
      using raw = await dialTls(proxy);
      const text = await raw.send([...lines, 'Host: a', 'Connection: close', '', ''].join('\r\n')).untilEnd();
      return text.length - text.indexOf('\r\n\r\n') - 4;
    };
    const refused = await sizeOf('PUT /refused HTTP/1.1', 'Content-Length: 10');
    expect(refused).toBeGreaterThan(100);
    expect(await lineOf(proxy, '/refused')).toMatchObject({ status: 413, reason: 'body_length', sentBytes: refused });
    expect(await sizeOf('HEAD /head HTTP/1.1')).toBe(0);
    expect(await lineOf(proxy, '/head')).toMatchObject({ status: 503, sentBytes: 0 });
    const call = { ':method': 'POST', 'content-type': 'application/grpc' };
    expect(await client.get('/call', call)).toMatchObject({ body: '', headers: { 'grpc-status': '14' } });
    expect(await lineOf(proxy, '/call')).toMatchObject({ status: 503, sentBytes: 0 });
  });
});

test.each([
  {
    ...{ what: 'a WebSocket', path: '/chat', status: 101 },
    head: 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13',
    answer: 'HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket',
  },
  {
    ...{ what: 'a tunnel by CONNECT', path: 'db:5432', status: 200 },
    head: 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432',
    answer: 'HTTP/1.1 200 Yes',
  },
])(
  '$what has its line when it ends, with its octets both ways and its time',
  async ({ path, status, head, answer }) => {
    const big = 'x'.repeat(100_000);
    await using application = await RawApplication.open((connection, arrived) => {
      if (arrived.includes(head.slice(0, 20))) connection.send(`${answer}\r\n\r\nhello`);
      else connection.send(arrived.includes('/later') ? ok : big);
    });
    await using proxy = await startProxy({
      upstream: application.url,
      flags: ['--access-log', 'on', '--allow-connect'],
    });
    using client = await dial(proxy.port);
    await client.send(`${head}\r\n\r\n`).until('hello');
    const began = performance.now();
    client.send('ping');
    await until(() => client.length > big.length);
    await ask(proxy.port, getAndClose.replace('/', '/later'));
    await lineOf(proxy, '/later');
    expect(linesOf(proxy).map((line) => line.path)).toEqual(['/later']);
    expect(await proxy.metric('request_duration_seconds_count')).toBe(2);
    client.socket.end();
    await until(() => application.connections[0]!.ended);
    const open = (performance.now() - began) / 1000;
    application.connections[0]!.socket.end();
    const line = await lineOf(proxy, path);
    expect(line).toMatchObject({ status, rule: 'otherwise', receivedBytes: 4, sentBytes: 5 + big.length });
    expect(line.seconds).toBeGreaterThan(open);
    expect(linesOf(proxy)).toHaveLength(2);
  },
);

test('under load each request has its line, whole', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: ['--access-log', 'on'] });
  const clients = await Promise.all(Array.from({ length: 50 }, () => dial(proxy.port)));
  clients.forEach((client, c) => {
    for (let i = 0; i < 40; i++) client.send(get.replace('/', `/load/${c}/${i}/${'x'.repeat(i * 20)}`));
  });
  for (const client of clients) await until(() => client.text.match(/HTTP\/1\.1 200/g)?.length === 40);
  for (const client of clients) client[Symbol.dispose]();
  const load = () => linesOf(proxy).filter(({ path }) => String(path).startsWith('/load/'));
  await until(() => load().length >= 2000, { what: () => `2000 lines, there are ${load().length}` });
  expect(new Set(load().map(({ path }) => path)).size).toBe(2000);
});

test('who the client is, and what a proxy in front says of it, as it is trusted', async () => {
  await using application = await RawApplication.open(always(ok));
  // The one that passes connections on has to be trusted, too.
  const trusted = ['--trusted-proxies', '127.0.0.1', '--trusted-proxies', '192.0.2.0/24'];
  const flags = ['--access-log', 'on', '--accept-proxy-protocol', ...trusted];
  await using proxy = await startProxy({ upstream: application.url, flags });
  const from = async (host: string, path: string) => {
    const source = { host, port: 1234 };
    const destination = { host: host.includes(':') ? '::1' : '127.0.0.1', port: 1 };
    using client = await dial(proxy.port);
    client.send(writeProxyHeader('v1', { source, destination }));
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n`).until('ok');
    return await lineOf(proxy, path);
  };
  expect(await from('192.0.2.7', '/trusted')).toMatchObject({ client: '192.0.2.7:1234', forwardedFor: '203.0.113.9' });
  const other = await from('2001:db8::7', '/other');
  expect(other.client).toBe('[2001:db8::7]:1234');
  expect(other).not.toHaveProperty('forwardedFor');
});

test('the share can be changed while it runs, and the last lines are out when it has ended', async () => {
  await using application = await RawApplication.open(always(ok));
  await using directory = await scratch();
  const file = directory.join('proxy.yaml');
  await writeFile(file, 'accessLog: off\n');
  await using proxy = await startProxy({ upstream: application.url, flags: ['--config', file] });
  await ask(proxy.port, getAndClose.replace('/', '/unseen'));
  await writeFile(file, 'accessLog: on\n');
  await until(async () => {
    await ask(proxy.port, getAndClose.replace('/', '/again'));
    return proxy.sidecar.stdout.includes('/again');
  });
  using client = await dial(proxy.port);
  application.become(() => undefined);
  client.send(get.replace('/', '/last'));
  const connection = await until(() => application.connections[0]);
  proxy.sidecar.kill('SIGTERM');
  connection.send(ok);
  await client.untilEnd();
  client.socket.end();
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  expect(linesOf(proxy).at(-1)).toMatchObject({ path: '/last', status: 200 });
  expect(proxy.sidecar.stdout).not.toContain('/unseen');
});

test.each(['yes', '101%', '1', '-1%', '1.2345%'])('%s is no share', async (share) => {
  await using sidecar = await startSidecar(import.meta.resolve('../src/main.ts'), ['--access-log', share], {
    wait: false,
  });
  expect(await sidecar.exited).toMatchObject({ code: 64 });
  expect(sidecar.stderr).toMatch(/--access-log .*off, on or a share such as 1%/);
});

test('a reader of stdout that has gone costs the lines, not the proxy', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: ['--access-log', 'on'] });
  proxy.sidecar.process.stdout!.destroy();
  for (let i = 0; i < 20; i++) expect(await ask(proxy.port, getAndClose)).toContain('200 OK');
  const said = () => proxy.sidecar.logs().filter(({ message }) => message === 'Lines of the access log are dropped');
  await until(() => said().length === 1);
  proxy.sidecar.kill('SIGTERM');
  expect(await proxy.sidecar.exited).toMatchObject({ code: 0 });
  expect(said()).toHaveLength(1);
});

test('a reader of stdout that has stopped costs lines and no memory, and nobody waits for it', async () => {
  await using application = await RawApplication.open(always(ok));
  await using proxy = await startProxy({ upstream: application.url, flags: ['--access-log', 'on'] });
  proxy.sidecar.process.stdout!.pause();
  using client = await dial(proxy.port);
  const long = get.replace('/', `/${'x'.repeat(7000)}`);
  for (let i = 1; i <= 40; i++) {
    client.send(long.repeat(25));
    await until(() => client.text.match(/HTTP\/1\.1 200/g)?.length === 25 * i, { what: () => `${25 * i} answers` });
  }
  expect(await proxy.metric('access_log_dropped_total')).toBeGreaterThan(100);
  // What was dropped is told, and nothing of what was not is lost.
  proxy.sidecar.process.stdout!.resume();
  await until(async () => linesOf(proxy).length + (await proxy.metric('access_log_dropped_total')) === 1000);
});
