import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpApplication } from './http-application.ts';
import { type RunningProxy, startProxy } from './start-proxy.ts';

const digest = async (stream: AsyncIterable<Buffer>) => {
  const hash = createHash('sha256');
  let length = 0;
  for await (const octets of stream) {
    hash.update(octets);
    length += octets.length;
  }
  return { sum: hash.digest('hex'), length };
};

const respond = async (options: RequestOptions & { ca?: string }, body: readonly Buffer[] = []) => {
  const sent = (options.ca ? secureRequest : request)({ host: '127.0.0.1', agent: false, ...options });
  const arrived = once(sent, 'response') as Promise<[IncomingMessage]>;
  for (const octets of body) if (!sent.write(octets)) await Promise.race([once(sent, 'drain'), arrived]);
  sent.end();
  const [response] = await arrived;
  return response;
};

describe.each([false, true])('with TLS %s', (tls) => {
  let echo: Awaited<ReturnType<typeof httpApplication>>;
  let proxy: RunningProxy;
  beforeAll(async () => {
    echo = await httpApplication((incoming, response) => {
      if (incoming.url === '/echo') incoming.pipe(response);
      else if (incoming.url?.startsWith('/fill/')) response.end(Buffer.alloc(4 << 20, incoming.url.at(-1)));
      else if (incoming.url === '/digest') digest(incoming).then((result) => response.end(JSON.stringify(result)));
      else response.end(JSON.stringify({ headers: incoming.headers, url: incoming.url, method: incoming.method }));
    });
    proxy = await startProxy({ upstream: echo.url, tls });
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });
  const to = (path: string, options: RequestOptions = {}) => ({
    port: proxy.port,
    path,
    ...(tls && { ca: proxy.ca, servername: 'localhost' }),
    ...options,
  });

  test('the application learns who asks, how and for which host', async () => {
    const response = await respond(to('/who', { headers: { host: 'example.com', traceparent: '00-0af7-b7ad-01' } }));
    const { headers, url } = JSON.parse(Buffer.concat(await response.toArray()).toString());
    expect(url).toBe('/who');
    expect(headers).toMatchObject({
      host: 'example.com',
      traceparent: '00-0af7-b7ad-01',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': tls ? 'https' : 'http',
      'x-forwarded-host': 'example.com',
    });
    expect(headers).not.toHaveProperty('connection', 'close');
  });

  test.each(['length', 'chunks'])('a body of 32 MiB goes there whole (%s)', async (framing) => {
    const block = randomBytes(1 << 20);
    const body = Array.from({ length: 32 }, () => block);
    const headers = framing === 'length' ? { 'content-length': String(32 << 20) } : {};
    const response = await respond(to('/digest', { method: 'POST', headers }), body);
    const expected = createHash('sha256');
    for (const octets of body) expected.update(octets);
    expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toEqual({
      sum: expected.digest('hex'),
      length: 32 << 20,
    });
  });

  test('many downloads at once stay apart, though some clients leave in the middle', async () => {
    const download = async (digit: number) => {
      const response = await respond(to(`/fill/${digit}`));
      const own = Buffer.alloc(4 << 20, `${digit}`);
      let others = 0;
      let length = 0;
      for await (const octets of response as AsyncIterable<Buffer>) {
        if (!octets.equals(own.subarray(0, octets.length))) others++;
        length += octets.length;
        if (digit % 3 === 0 && length > 1_000_000) break;
      }
      return { others, whole: length === 4 << 20 };
    };
    const digits = Array.from({ length: 10 }, (_, digit) => digit);
    expect(await Promise.all(digits.map(download))).toEqual(
      digits.map((digit) => ({ others: 0, whole: digit % 3 !== 0 })),
    );
  });

  test('a body of 32 MiB goes there and back at the same time', async () => {
    const block = randomBytes(1 << 20);
    const sent = (tls ? secureRequest : request)({
      host: '127.0.0.1',
      agent: false,
      ...to('/echo', { method: 'POST' }),
    });
    const arrived = once(sent, 'response') as Promise<[IncomingMessage]>;
    const expected = createHash('sha256');
    const writing = (async () => {
      for (let i = 0; i < 32; i++) {
        expected.update(block);
        if (!sent.write(block)) await once(sent, 'drain');
      }
      sent.end();
    })();
    const [response] = await arrived;
    const { sum, length } = await digest(response);
    await writing;
    expect({ sum, length }).toEqual({ sum: expected.digest('hex'), length: 32 << 20 });
  });
});
