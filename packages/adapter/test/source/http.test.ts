import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Fault, Secret } from '@outrigger/core';
import { until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { fetchDocument } from '../../src/fetch.ts';
import type { Credentials } from '../../src/source/source.ts';
import { serve, xml } from '../helpers/server.ts';

const ask = (url: string, { credentials = {}, timeout = 5000 }: { credentials?: Credentials; timeout?: number } = {}) =>
  fetchDocument({
    target: new URL(url),
    credentials,
    timeout,
    bodyLimit: 100_000,
    signal: AbortSignal.timeout(timeout),
  });

async function faultOf(handler: RequestListener, options?: Parameters<typeof ask>[1]) {
  await using server = await serve(handler);
  const fault = await ask(server.url, options).catch((error: unknown) => error);
  if (!(fault instanceof Fault)) throw new Error(`No fault but ${JSON.stringify(fault)}`);
  // Whatever was wrong, nothing stays open.
  await until(() => server.connections === 0, { what: 'the connection to close' });
  return { code: fault.code.replace('ADAPTER_', ''), message: fault.message };
}

const answer =
  (status: number, headers: Record<string, string> = {}, body = '<a/>'): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

test.each<[what: string, handler: RequestListener, code: string, message: string | RegExp]>([
  ['an error page', answer(500), 'TARGET_STATUS', /answered 500 Internal Server Error$/],
  ['missing credentials', answer(401), 'TARGET_STATUS', /answered 401/],
  ['a redirect, which is not followed', answer(302, { location: 'http://127.0.0.1:1/' }), 'TARGET_STATUS', /302/],
  ['no content', answer(204, {}, ''), 'DOCUMENT_EMPTY', 'The document is empty'],
  ['half of an answer', answer(206), 'TARGET_STATUS', /206/],
  [
    'a login page',
    answer(200, { 'content-type': 'text/html; charset=utf-8' }),
    'DOCUMENT_TYPE',
    'The document is text/html, not XML',
  ],
  ['a page in XHTML', answer(200, { 'content-type': 'application/xhtml+xml' }), 'DOCUMENT_TYPE', /xhtml/],
  ['JSON', answer(200, { 'content-type': 'application/json' }), 'DOCUMENT_TYPE', /json/],
  [
    'a compressed answer that was not asked for',
    (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('<a/>')),
    'DOCUMENT_ENCODING',
    /"gzip"/,
  ],
  [
    'a length beyond the limit, before a byte is read',
    (_, response) => response.writeHead(200, { 'content-length': '10000000000' }).write('<a>'),
    'DOCUMENT_TOO_LARGE',
    'The document is larger than 100000B',
  ],
  [
    'a body that never ends',
    (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    },
    'DOCUMENT_TOO_LARGE',
    /larger/,
  ],
  [
    'a connection that breaks in the middle',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('<a>', () => response.destroy());
    },
    'TARGET_UNREACHABLE',
    /cannot be reached: aborted/,
  ],
  ['no HTTP at all', (request) => request.socket.end('220 mail ready\r\n'), 'TARGET_UNREACHABLE', /Parse Error/],
])('%s is told as what it is', async (_, handler, code, message) => {
  const fault = await faultOf(handler);
  expect(fault.code).toBe(code);
  expect(fault.message).toMatch(message);
});

test('a server that gives one byte now and then does not outlive the deadline', async () => {
  const drip: RequestListener = (_, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  };
  const from = performance.now();
  expect((await faultOf(drip, { timeout: 300 })).message).toMatch(/gave no complete answer within 300ms$/);
  expect(performance.now() - from).toBeLessThan(2000);
});

test('a server that accepts and never answers does not outlive the deadline', async () => {
  expect((await faultOf(() => undefined, { timeout: 200 })).code).toBe('TARGET_TIMEOUT');
});

test.each([
  'text/xml',
  'application/xml;charset=utf-8',
  'application/rss+xml',
  'text/plain',
  'application/octet-stream',
  'TEXT/XML',
])('a document served as %s is read', async (type) => {
  await using server = await serve(xml('<a/>', type));
  expect(Buffer.from((await ask(server.url)).bytes).toString()).toBe('<a/>');
});

test('a port that speaks no TLS is told as one', async () => {
  await using server = await serve(xml('<a/>'));
  await expect(ask(server.url.replace('http:', 'https:'))).rejects.toMatchObject({
    code: 'ADAPTER_TARGET_UNREACHABLE',
    message: expect.stringMatching(/cannot be reached: .*SSL/),
  });
});

test('the charset that HTTP gives goes with the document', async () => {
  await using server = await serve(xml('<a/>', 'text/xml; Charset="ISO-8859-1"; x=y'));
  expect((await ask(server.url)).charset).toBe('ISO-8859-1');
});

describe('credentials', () => {
  const echo: RequestListener = (request, response) => {
    response.end(`<a>${request.headers.authorization ?? 'none'}</a>`);
  };
  const sent = async (credentials: Credentials) => {
    await using server = await serve(echo);
    return Buffer.from((await ask(server.url, { credentials })).bytes).toString();
  };

  test('are sent when there are some', async () => {
    expect(await sent({})).toBe('<a>none</a>');
    expect(await sent({ user: 'joe', password: Secret.of('sésame') })).toBe(
      `<a>Basic ${Buffer.from('joe:sésame').toString('base64')}</a>`,
    );
    expect(await sent({ token: Secret.of('abc\n') })).toBe('<a>Bearer abc</a>');
  });

  test('and the query of the target are in no message', async () => {
    await using server = await serve(answer(403));
    const fault = await ask(`${server.url}?key=hush`, { credentials: { token: Secret.of('sesame') } }).catch(String);
    expect(fault).toContain('answered 403');
    expect(fault).not.toMatch(/hush|sesame/);
  });
});
