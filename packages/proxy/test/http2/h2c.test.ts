// An application that speaks HTTP/2 without TLS, before clients of both versions.

import type { ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { freePort, until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask as askOn, getAndClose, Raw, RawApplication } from '../raw.ts';
import { type RunningProxy, startProxy } from '../start-proxy.ts';
import { unresponsive } from '../unresponsive.ts';
import {
  block,
  codes,
  type Frame,
  flags,
  frame,
  headers,
  preface,
  request,
  reset,
  settings,
  takeFrames,
  types,
  wire,
} from './frames.ts';
import { echo, failing, H2cApplication, message, onMessages } from './grpc.ts';
import { answerOn, connectionsOf, H2Client, start } from './start.ts';

let application: H2cApplication;
let proxy: RunningProxy;
let plain: RunningProxy;
beforeAll(async () => {
  application = await H2cApplication.open(echo);
  [proxy, plain] = await Promise.all([start(application.url), startProxy({ upstream: application.url })]);
});
afterAll(async () => {
  await Promise.all([proxy[Symbol.asyncDispose](), plain[Symbol.asyncDispose]()]);
  await application[Symbol.asyncDispose]();
});

const call = { ':method': 'POST', ':path': '/service/Method', 'content-type': 'application/grpc', te: 'trailers' };
const ok = (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': 200, 'content-length': '2' });
  stream.end('ok');
};

describe('gRPC', () => {
  test('one message each way, with trailers', async () => {
    application.become(echo);
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ...call, 'grpc-timeout': '5S', 'x-meta': 'a' }, false);
    stream.end(message('hello'));
    const answer = await answerOn(stream);
    expect(answer).toMatchObject({ status: 200, code: 0, body: message('echo hello').toString() });
    expect(answer.trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'done' });
    expect(application.requests[0]).toMatchObject({
      ...{
        ':path': '/service/Method',
        ':authority': 'example.com',
        te: 'trailers',
        'content-type': 'application/grpc',
      },
      ...{ 'grpc-timeout': '5S', 'x-meta': 'a', 'x-forwarded-proto': 'https' },
    });
  });

  test('a failure that is nothing but a head', async () => {
    application.become(failing('5', 'no such thing'));
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    stream.end(message('hello'));
    expect(await answerOn(stream)).toMatchObject({ status: 200, body: '', code: 0, headers: { 'grpc-status': '5' } });
  });

  test('messages of the client one by one, each answered before the next is sent', async () => {
    application.become(echo);
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    const got: string[] = [];
    onMessages(stream, (text) => {
      got.push(text);
      if (got.length < 20) stream.write(message(`${got.length}`));
      else stream.end();
    });
    const answer = answerOn(stream);
    stream.write(message('0'));
    expect((await answer).trailers['grpc-status']).toBe('0');
    expect(got).toEqual(Array.from({ length: 20 }, (_, index) => `echo ${index}`));
  });

  test('many messages of the application', async () => {
    application.become((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      for (let i = 0; i < 500; i++) stream.write(message(`${i} ${'x'.repeat(1_000)}`));
      stream.end();
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    const got: number[] = [];
    onMessages(stream, (text) => got.push(Number.parseInt(text, 10)));
    stream.end(message('go'));
    expect((await answerOn(stream)).trailers['grpc-status']).toBe('0');
    expect(got).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });

  test('the head of the response before the first message of the request', async () => {
    application.become((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', () => stream.end('done'));
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    const answer = answerOn(stream);
    stream.once('response', () => stream.end(message('now')));
    expect(await answer).toMatchObject({ body: 'done', code: 0 });
  });

  test('trailers of the client', async () => {
    const seen: unknown[] = [];
    application.become((stream) => {
      stream
        .on('trailers', (trailers) => seen.push(trailers))
        .resume()
        .on('end', () => ok(stream));
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.session.request(call, { waitForTrailers: true });
    stream
      .on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '42', 'x-forwarded-for': 'me', cookie: 'a' }))
      .end(message('x'));
    expect((await answerOn(stream)).status).toBe(200);
    expect(seen.map((trailers) => Object.keys(trailers as object))).toEqual([['x-checksum']]);
  });

  test.each([7, 8, 11])('a reset by the application keeps its code: %i', async (code) => {
    application.become((stream) => {
      stream.on('data', () => stream.close(code));
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    stream.write(message('x'));
    expect(await answerOn(stream)).toMatchObject({ status: 0, code });
  });

  test('a reset in the middle of the response is no end of it', async () => {
    application.become((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
      stream.on('data', () => {
        stream._final = (done) => done();
        stream.close(2);
      });
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    const answer = answerOn(stream);
    stream.once('data', () => stream.write(message('x')));
    expect(await answer).toMatchObject({ body: 'half', code: 2, trailers: {} });
  });

  test('a client that cancels has it cancelled at the application', async () => {
    let closed = -1;
    application.become((stream) => {
      stream.respond({ ':status': 200 });
      stream.on('close', () => {
        closed = stream.rstCode;
      });
    });
    using client = await H2Client.open(proxy.port);
    const blamed = await proxy.growth('upstream_errors_total{reason="reset"}', async () => {
      const stream = client.request(call, false);
      stream.once('response', () => stream.close(8));
      await until(() => closed >= 0);
    });
    expect({ closed, blamed }).toEqual({ closed: 8, blamed: 0 });
  });

  test('its application may take the whole time to connect, however short that of the client is', async () => {
    await using full = await unresponsive('h2c');
    const [connecting, silent] = ['--upstream-connect-timeout', '--client-timeout'];
    await using patient = await start(full.url, connecting, '1s', silent, '200ms');
    using client = await H2Client.open(patient.port);
    const begun = performance.now();
    const { status } = await answerOn(client.request({ ':path': '/' }));
    expect(performance.now() - begun).toBeGreaterThan(850);
    expect(status).toBe(504);
  });

  test('is silent for longer than an ordinary request may be', async () => {
    application.become(echo);
    await using patient = await start(application.url, '--upstream-timeout', '200ms', '--client-timeout', '200ms');
    using client = await H2Client.open(patient.port);
    const ordinary = client.request({ ':method': 'POST', ':path': '/' }, false);
    const stream = client.request(call, false);
    expect((await answerOn(ordinary)).status).not.toBe(0);
    stream.end(message('late'));
    expect((await answerOn(stream)).trailers['grpc-status']).toBe('0');
  });
});

describe('a client of HTTP/1.1', () => {
  const ask = (text: string): Promise<string> => askOn(plain.port, text);
  const get = 'GET /x?y HTTP/1.1\r\nHost: example.com\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n';

  test('gets the response of an application of HTTP/2, without its trailers', async () => {
    application.become((stream) => {
      stream.respond({ ':status': 201, 'x-own': 'a', 'set-cookie': ['a', 'b'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'no' }));
      stream.write('hel');
      setImmediate(() => stream.end('lo'));
    });
    const text = await ask(get);
    expect(text).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(text).toContain('\r\nx-own: a\r\nset-cookie: a\r\nset-cookie: b\r\n');
    expect(text).toMatch(
      /\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n$/,
    );
    expect(text).not.toContain('x-trailer');
    expect(application.requests[0]).toMatchObject({ ':method': 'GET', ':path': '/x?y', ':scheme': 'http' });
    expect(application.requests[0]).toMatchObject({ ':authority': 'example.com', 'x-forwarded-proto': 'http' });
    expect(application.requests[0]).not.toHaveProperty('te');
  });

  test('keeps its connection from one request to the next', async () => {
    application.become(ok);
    const text = await ask(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(text).toMatch(/content-length: 2\r\n[\s\S]*\r\n\r\nokHTTP/);
  });

  test.each([
    [
      'in chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    ],
    ['of known length', 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde'],
  ])('sends a body %s', async (_, request) => {
    let body = '';
    application.become((stream) => {
      stream.on('data', (octets: Buffer) => {
        body += octets;
      });
      stream.on('end', () => ok(stream));
    });
    expect(await ask(request)).toMatch(/^HTTP\/1\.1 200 /);
    expect(body).toBe('abcde');
    expect(application.requests[0]).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /\r\ncontent-length: 2\r\n[\s\S]*\r\n\r\n$/],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', /\r\nConnection: close\r\n\r\nok$/],
  ])('%s', async (_, request, expected) => {
    application.become(ok);
    expect(await ask(request)).toMatch(expected);
  });

  test('gets one framing, whatever else is called Content-Length', async () => {
    application.become((stream) => {
      stream.respond({ ':status': 200, vary: 'content-length', 'content-length': '2' });
      stream.end('ok');
    });
    const text = await ask(get);
    expect(text).toMatch(/\r\n\r\nok$/);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  test('gets an empty response that says so', async () => {
    application.become((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    expect(await ask(get)).toMatch(/\r\ncontent-length: 0\r\n/);
  });

  test('is told to go on with its body, and given hints', async () => {
    application.become((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.resume().on('end', () => ok(stream));
    });
    using client = new Raw(connect({ host: '127.0.0.1', port: plain.port, allowHalfOpen: true }));
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n');
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('ab');
    expect(await client.untilEnd()).toMatch(
      /HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\n[\s\S]*HTTP\/1\.1 200 OK/,
    );
  });

  test('is cut off in the middle of a response that is reset, and gets 502 before it', async () => {
    application.become((stream) => stream.close(2));
    expect(await ask(get)).toMatch(/^HTTP\/1\.1 502 [\s\S]*PROXY_UPSTREAM_CLOSED/);
    application.become((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
      stream._final = (done) => done();
      setImmediate(() => stream.close(2));
    });
    using client = new Raw(connect({ host: '127.0.0.1', port: plain.port, allowHalfOpen: true }));
    client.send(get);
    await until(() => client.closed);
    expect(client.error?.code).toBe('ECONNRESET');
    expect(client.text).not.toContain('0\r\n\r\n');
  });
});

describe('connections to the application', () => {
  test('one carries many requests', async () => {
    application.become((stream) => setImmediate(ok, stream));
    using client = await H2Client.open(proxy.port);
    await client.get('/');
    const opened = await proxy.growth('upstream_connections_total', async () => {
      const answers = await Promise.all(Array.from({ length: 80 }, () => client.get('/')));
      expect(answers.every(({ body }) => body === 'ok')).toBe(true);
    });
    expect(opened).toBe(0);
  });

  test('another is made when one has as many requests as it takes', async () => {
    const held: ServerHttp2Stream[] = [];
    await using small = await H2cApplication.open((stream) => held.push(stream), { streamLimit: 2 });
    await using limited = await start(small.url);
    using client = await H2Client.open(limited.port);
    const first = client.get('/');
    await until(() => held.length === 1);
    const answers = [first, ...Array.from({ length: 4 }, () => client.get('/'))];
    await until(() => held.length === 5);
    expect(small.sessions.size).toBe(3);
    for (const stream of held) ok(stream);
    expect((await Promise.all(answers)).every(({ body }) => body === 'ok')).toBe(true);
  });

  test('one that the application leaves with GOAWAY finishes, later requests go elsewhere', async () => {
    const held: ServerHttp2Stream[] = [];
    application.become((stream, headers) => (headers[':path'] === '/held' ? held.push(stream) : ok(stream)));
    using client = await H2Client.open(proxy.port);
    const waiting = client.get('/held');
    const stream = await until(() => held[0]);
    stream.session?.close();
    expect((await client.get('/')).body).toBe('ok');
    ok(stream);
    expect((await waiting).body).toBe('ok');
  });

  test('a request that GOAWAY says was not looked at is sent again, also with POST', async () => {
    let first = true;
    application.become((stream) => {
      if (first) {
        first = false;
        stream.session?.goaway(0, stream.id! - 2 || -1);
        stream.session?.destroy();
      } else ok(stream);
    });
    using client = await H2Client.open(proxy.port);
    const retried = await proxy.growth('upstream_retries_total', async () => {
      expect((await client.get('/', { ':method': 'POST' })).body).toBe('ok');
    });
    expect(retried).toBe(1);
  });

  test('a request that is refused is sent again, once', async () => {
    let count = 0;
    application.become((stream) => (count++ === 0 ? stream.close(7) : ok(stream)));
    using client = await H2Client.open(proxy.port);
    expect((await client.get('/', { ':method': 'POST' })).body).toBe('ok');
    application.become((stream) => {
      count++;
      stream.close(7);
    });
    count = 0;
    expect(await client.get('/')).toMatchObject({ status: 0, code: 7 });
    expect(count).toBe(2);
  });

  test('one that breaks loses what was under way, and is replaced', async () => {
    const held: ServerHttp2Stream[] = [];
    application.become((stream) => held.push(stream));
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    stream.write(message('x'));
    const answer = answerOn(stream);
    await until(() => held.length === 1);
    for (const session of application.sessions) session.socket.destroy();
    expect(await answer).toMatchObject({ status: 200, code: 0, headers: { 'grpc-status': '14' } });
    application.become(ok);
    expect((await client.get('/')).body).toBe('ok');
  });

  test('they are closed when they have been idle for long enough', async () => {
    application.become(ok);
    using client = await H2Client.open(proxy.port);
    await client.get('/');
    await proxy.settled();
    await until(() => application.sessions.size === 0);
  });
});

test('an application that is not there is answered for with 503 until it starts, then with 502', async () => {
  const port = await freePort();
  await using alone = await start(`h2c://127.0.0.1:${port}`);
  using client = await H2Client.open(alone.port);
  expect(JSON.parse((await client.get('/')).body)).toMatchObject({ code: 'PROXY_UPSTREAM_STARTING' });
  {
    await using late = await H2cApplication.open(ok, { port });
    expect((await client.get('/')).body).toBe('ok');
    expect(late.requests).toHaveLength(1);
  }
  expect(JSON.parse((await client.get('/')).body)).toMatchObject({ status: 502, code: 'PROXY_UPSTREAM_DOWN' });
});

test('an application of HTTP/1 is answered for with 502', async () => {
  await using old = await RawApplication.open((connection) => {
    connection.send('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n').socket.end();
  });
  await using alone = await start(old.url.replace('http:', 'h2c:'));
  using client = await H2Client.open(alone.port);
  expect(JSON.parse((await client.get('/')).body)).toMatchObject({ code: 'PROXY_UPSTREAM_INVALID' });
});

test('a response that breaks off with a reset without an error is not taken for whole', async () => {
  await using odd = await RawApplication.open((connection, arrived) => {
    if (connection.length === arrived.length) connection.send(settings());
    const frames: Frame[] = [];
    takeFrames(connection.received, preface.length, frames);
    if (!frames.some(({ type }) => type === types.headers)) return;
    const head = frame(types.headers, flags.endHeaders, 1, block([[':status', '200']]));
    connection.send(Buffer.concat([head, frame(types.data, 0, 1, 'half'), reset(1, codes.none)]));
  });
  await using alone = await start(odd.url.replace('http:', 'h2c:'));
  using client = await H2Client.open(alone.port);
  expect(await client.get('/')).toMatchObject({ status: 200, body: 'half', code: codes.cancel });
});

test.each([codes.none, codes.cancel])(
  'a body that its client breaks off with %i is not taken for whole',
  async (code) => {
    await using odd = await RawApplication.open((connection, arrived) => {
      if (connection.length === arrived.length) connection.send(settings());
    });
    await using alone = await start(odd.url.replace('http:', 'h2c:'));
    const seen = () => {
      const frames: Frame[] = [];
      takeFrames(odd.connections[0]?.received ?? Buffer.alloc(0), preface.length, frames);
      return frames.filter(({ stream }) => stream === 1).map((each) => [each.type, each.flags & flags.endStream]);
    };
    using client = await wire(alone.port);
    client.send(headers(1, request(), flags.none), frame(types.data, flags.none, 1, 'half'));
    await until(() => seen().length === 2);
    client.send(reset(1, code));
    await until(() => seen().some(([type]) => type === types.reset));
    expect(seen()).toEqual([
      [types.headers, 0],
      [types.data, 0],
      [types.reset, 0],
    ]);
  },
);

test('CONNECT does not reach it, also where it is allowed', async () => {
  application.become(ok);
  await using open = await startProxy({ upstream: application.url, flags: ['--allow-connect', 'true'] });
  expect(await askOn(open.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
  expect(await askOn(open.port, getAndClose)).toMatch(/^HTTP\/1\.1 200 /);
  expect(application.requests).toHaveLength(1);
});

test('an application that does not answer is answered for with 504', async () => {
  application.become(() => undefined);
  await using impatient = await start(application.url, '--upstream-timeout', '200ms');
  using client = await H2Client.open(impatient.port);
  expect((await client.get('/')).status).toBe(504);
});

test('whoever is faster is held back, in both directions', async () => {
  application.become((stream) => {
    stream.respond({ ':status': 200 });
    const octets = Buffer.alloc(65_536);
    const more = () => {
      while (!stream.destroyed && stream.write(octets));
    };
    stream.on('drain', more);
    more();
  });
  const rss = async () =>
    Number(/process_resident_memory_bytes (\d+)/.exec(await (await proxy.sidecar.get('/metrics')).text())![1]);
  using client = await H2Client.open(proxy.port);
  const before = await rss();
  const stream = client.request(call, false);
  const octets = Buffer.alloc(65_536);
  const more = () => {
    while (!stream.destroyed && stream.write(octets));
  };
  stream.on('drain', more);
  more();
  const moved = () => client.session.socket.bytesWritten + client.session.socket.bytesRead;
  let last = -1;
  let same = 0;
  await until(() => {
    same = moved() === last ? same + 1 : 0;
    last = moved();
    return same > 10;
  });
  expect(moved()).toBeLessThan(16 << 20);
  expect((await rss()) - before).toBeLessThan(32 << 20);
  stream.close(8);
});

test('nothing is left of any of this', async () => {
  await until(async () => (await connectionsOf(proxy)).length === 0);
  await proxy.settled();
});
