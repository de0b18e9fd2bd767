// Ordinary clients of HTTP/2 in front of an application that speaks HTTP/1.1.

import { once } from 'node:events';
import { until } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { always, ok, type Raw, RawApplication } from '../raw.ts';
import type { RunningProxy } from '../start-proxy.ts';
import { answerOn, connectionsOf, H2Client, start } from './start.ts';

let application: RawApplication;
let proxy: RunningProxy;
beforeAll(async () => {
  application = await RawApplication.open();
  proxy = await start(application.url);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await application[Symbol.asyncDispose]();
});

/** The requests that the application got, each answered as told. */
async function serve(response: string | ((connection: Raw, arrived: Buffer) => void)): Promise<void> {
  application.become(typeof response === 'string' ? always(response) : response);
  await proxy.settled();
}
const received = () => application.connections.map(({ text }) => text).join('');

describe('a request', () => {
  test('reaches the application as HTTP/1.1, its answer comes back', async () => {
    await serve('HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Own: a\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\nok');
    using client = await H2Client.open(proxy.port);
    const answer = await client.get('/things?x=1', { 'x-more': 'yes', cookie: ['a=1', 'b=2'], te: 'trailers' });
    expect(answer).toMatchObject({
      status: 201,
      body: 'ok',
      code: 0,
      headers: { 'x-own': 'a', 'set-cookie': ['a', 'b'] },
    });
    const text = received();
    expect(text).toMatch(/^GET \/things\?x=1 HTTP\/1\.1\r\n/);
    for (const line of ['host: example.com', 'cookie: a=1; b=2', 'x-more: yes', 'X-Forwarded-Proto: https'])
      expect(text).toContain(`\r\n${line}\r\n`);
    expect(text).not.toMatch(/^te:/im);
  });

  test('with a body of known length keeps its Content-Length', async () => {
    await serve(ok);
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ':method': 'POST', ':path': '/', 'content-length': '5' }, false);
    stream.end('hello');
    expect((await answerOn(stream)).status).toBe(200);
    expect(received()).toMatch(/\r\ncontent-length: 5\r\n[\s\S]*\r\n\r\nhello$/);
  });

  test('with a body of unknown length is sent in chunks, its trailers are dropped', async () => {
    await serve((connection) => {
      if (connection.text.endsWith('0\r\n\r\n')) connection.send(ok);
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.session.request({ ':method': 'PUT', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailer': 'no' })).write('hello');
    await until(() => received().endsWith('5\r\nhello\r\n'));
    stream.end();
    expect((await answerOn(stream)).status).toBe(200);
    expect(received()).toMatch(/\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  });

  test('of a method with content but without any says so', async () => {
    await serve(ok);
    using client = await H2Client.open(proxy.port);
    expect((await client.get('/', { ':method': 'POST' })).status).toBe(200);
    expect(received()).toMatch(/\r\ncontent-length: 0\r\n/);
  });

  test('for the head alone gets it', async () => {
    await serve('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
    using client = await H2Client.open(proxy.port);
    const answer = await client.get('/', { ':method': 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '', code: 0, headers: { 'content-length': '1234' } });
  });

  test('is one of many at once on one connection', async () => {
    await serve(ok);
    using client = await H2Client.open(proxy.port);
    const answers = await Promise.all(Array.from({ length: 90 }, (_, index) => client.get(`/${index}`)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 ok']));
  });

  test('that the application asks to wait with is told so, early hints are passed on', async () => {
    await serve('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ':method': 'POST', ':path': '/', expect: '100-continue' }, false);
    stream.once('continue', () => stream.end('body'));
    expect(await answerOn(stream)).toMatchObject({ status: 200, interim: [100, 103] });
    expect(received()).not.toMatch(/expect/i);
  });

  test('whose response comes before its body is complete is answered and ended', async () => {
    await serve('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!');
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ':method': 'POST', ':path': '/' }, false);
    stream.write('some');
    expect(await answerOn(stream)).toMatchObject({ status: 413, body: 'no!', code: 0 });
    expect((await client.get('/')).status).toBe(413);
  });
});

describe('a response', () => {
  test.each([
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-T: 1\r\n\r\n'],
    ['until the connection closes', 'HTTP/1.0 200 OK\r\nKeep-Alive: x\r\n\r\nabcdefg'],
  ])('%s is whole, without the fields of its hop', async (_, response) => {
    await serve((connection) => {
      connection.send(response);
      if (response.startsWith('HTTP/1.0')) connection.socket.end();
    });
    using client = await H2Client.open(proxy.port);
    const answer = await client.get('/');
    expect(answer).toMatchObject({ status: 200, body: 'abcdefg', code: 0, trailers: {} });
    expect(Object.keys(answer.headers)).toEqual([':status']);
  });

  test.each(['204 No Content', '304 Not Modified'])('%s has no body', async (status) => {
    await serve(`HTTP/1.1 ${status}\r\nETag: x\r\n\r\n`);
    using client = await H2Client.open(proxy.port);
    expect(await client.get('/')).toMatchObject({ status: Number.parseInt(status, 10), body: '', code: 0 });
  });

  test.each(['Content-Length: 9\r\n\r\nabc', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'])(
    'that breaks off resets its stream and no other: %j',
    async (rest) => {
      await serve((connection, arrived) => {
        if (arrived.includes('/broken')) connection.send(`HTTP/1.1 200 OK\r\n${rest}`).socket.end();
        else connection.send(ok);
      });
      using client = await H2Client.open(proxy.port);
      const answer = await client.get('/broken');
      expect(answer).toMatchObject({ status: 200, code: 2 });
      expect((await client.get('/')).body).toBe('ok');
    },
  );

  test('that is no HTTP becomes 502, as a problem', async () => {
    await serve('SSH-2.0-OpenSSH\r\n\r\n');
    using client = await H2Client.open(proxy.port);
    const answer = await client.get('/');
    expect(answer).toMatchObject({ status: 502, code: 0, headers: { 'content-type': 'application/problem+json' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'PROXY_UPSTREAM_INVALID' });
  });

  test('with any octets in its fields arrives with the same ones', async () => {
    await serve('HTTP/1.1 200 OK\r\nX-High: caf\xe9 \x80\r\nContent-Length: 0\r\n\r\n');
    using client = await H2Client.open(proxy.port);
    expect((await client.get('/', { 'x-sent': 'na\xefve' })).headers['x-high']).toBe('caf\xe9 \x80');
    expect(received()).toContain('x-sent: na\xefve\r\n');
  });
});

describe('whoever is faster is held back', () => {
  test('an application by a client that does not read', async () => {
    await serve((connection) => {
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`);
      pour(connection);
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ':path': '/' });
    await once(stream, 'response');
    const connection = await until(() => application.connections[0]);
    await steady(() => connection.socket.bytesWritten);
    expect(connection.socket.bytesWritten).toBeLessThan(64 << 20);
    stream.close(8);
    await until(() => connection.closed);
  });

  test('a client by an application that does not read', async () => {
    let held = false;
    await serve((connection) => {
      if (!held) connection.socket.pause();
      held = true;
    });
    using client = await H2Client.open(proxy.port);
    const stream = client.request({ ':method': 'POST', ':path': '/' }, false);
    const octets = Buffer.alloc(65_536);
    const more = () => {
      while (!stream.destroyed && stream.write(octets));
    };
    stream.on('drain', more);
    more();
    await until(() => application.connections[0]);
    const sent = () => client.session.socket.bytesWritten;
    await steady(sent);
    expect(sent()).toBeLessThan(64 << 20);
    stream.close(8);
    const connection = application.connections[0]!;
    connection.socket.resume();
    await until(() => connection.ended || connection.closed, { what: 'the request to be dropped' });
  });
});

test('large responses side by side arrive as they were sent, whatever else is cancelled', async () => {
  const size = 1 << 20;
  const bodyOf = (name: number) => Buffer.alloc(size, `${name}:`.padEnd(13, '#'));
  await serve((connection, arrived) => {
    const name = Number(/^GET \/(\d+) /.exec(arrived.toString('latin1'))?.[1]);
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`).send(bodyOf(name));
  });
  using client = await H2Client.open(proxy.port);
  const get = async (name: number) => {
    const stream = client.request({ ':path': `/${name}` });
    const parts: Buffer[] = [];
    stream.on('data', (octets: Buffer) => parts.push(octets));
    if (name % 3 === 0) stream.once('data', () => stream.close(8));
    await once(stream, 'close');
    return { name, body: Buffer.concat(parts) };
  };
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => get(round * 30 + index)));
    for (const { name, body } of answers)
      if (name % 3 !== 0) expect(body.equals(bodyOf(name)), `the body of /${name}`).toBe(true);
  }
});

describe('a stream that is reset', () => {
  test('has its request dropped at the application', async () => {
    await serve(() => undefined);
    using client = await H2Client.open(proxy.port);
    const dropped = await proxy.growth('abandoned_total', async () => {
      const stream = client.request({ ':path': '/' });
      const connection = await until(() => application.connections[0]);
      await connection.until('\r\n\r\n');
      stream.close(8);
      await until(() => connection.ended || connection.closed, { what: 'the request to be dropped' });
    });
    expect(dropped).toBe(1);
  });

  test('as is the connection with all of its streams', async () => {
    await serve(() => undefined);
    using client = await H2Client.open(proxy.port);
    for (let i = 0; i < 5; i++) client.request({ ':path': '/' });
    await until(() => application.connections.filter(({ text }) => text.includes('\r\n\r\n')).length === 5);
    client.session.destroy();
    await until(() => application.connections.every(({ ended }) => ended));
    await until(async () => (await connectionsOf(proxy)).length === 0);
  });
});

function pour({ socket }: Raw): void {
  const octets = Buffer.alloc(65_536);
  const more = () => {
    while (!socket.destroyed && socket.write(octets));
  };
  socket.on('drain', more);
  more();
}

/** Resolves once a number has stopped growing. */
async function steady(value: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until(
    () => {
      same = value() === last ? same + 1 : 0;
      last = value();
      return same > 10;
    },
    { what: () => `a steady number, last ${last}` },
  );
}
