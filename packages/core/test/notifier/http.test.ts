import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type EndpointOptions, openEndpoint } from '../../src/testing/endpoint.ts';
import { makeCertificate } from '../../src/testing/make-certificate.ts';
import { scratch } from '../../src/testing/scratch.ts';
import { until } from '../../src/testing/until.ts';
import { openNotifier } from './open-notifier.ts';

const notice = { generation: 7, hash: 'a'.repeat(64) };
const never = new AbortController().signal;

const answering = (status: number, headers = {}): EndpointOptions => ({
  answer: (response) => response.writeHead(status, headers).end('the body'),
});

test('the method, the generation and the credentials of the URL are sent', async () => {
  await using endpoint = await openEndpoint();
  const url = endpoint.url.replace('http://', 'http://user:p%40ss@');
  await openNotifier('http', '--notify-http-url', url, '--notify-http-method', 'PUT').notify(notice, never);
  const [request] = endpoint.requests;
  expect(request!.method).toBe('PUT');
  expect(request!.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    'outrigger-generation': '7',
    'outrigger-hash': notice.hash,
  });
});

test.for([
  [200, '2xx', true],
  [204, '2xx', true],
  [202, '200', false],
  [418, '418', true],
  [500, '2xx', false],
  [404, '2xx', false],
] as const)('a %i is right or wrong when %s is expected: %s', async ([status, expected, right]) => {
  await using endpoint = await openEndpoint(answering(status));
  const notifier = openNotifier('http', '--notify-http-url', endpoint.url, '--notify-http-expect-status', expected);
  const answer = notifier.notify(notice, never);
  if (right) expect(await answer).toEqual({ status });
  else await expect(answer).rejects.toMatchObject({ code: 'NOTIFY_HTTP_STATUS', fields: { status, expected } });
});

test('a redirect is not followed', async () => {
  await using other = await openEndpoint();
  await using endpoint = await openEndpoint(answering(302, { location: other.url }));
  const notifier = openNotifier('http', '--notify-http-url', endpoint.url);
  await expect(notifier.notify(notice, never)).rejects.toMatchObject({ code: 'NOTIFY_HTTP_STATUS' });
  expect(other.requests.length).toBe(0);
});

test('no connection is left open, whatever the answer', async () => {
  await using endpoint = await openEndpoint({
    answer: (response, count) => {
      response.writeHead(count % 2 ? 200 : 500);
      // More than is read, and never the end.
      if (count % 3) response.end('x'.repeat(1000));
      else response.write('x'.repeat(1024 * 1024));
    },
  });
  const notifier = openNotifier('http', '--notify-http-url', endpoint.url);
  for (let at = 0; at < 11; at++) await notifier.notify(notice, never).catch(() => undefined);
  // Sooner than the server would close an idle connection by itself.
  await until(async () => (await endpoint.openConnections()) === 0, { deadline: 2000 });
  expect(endpoint.requests.length).toBe(11);
});

test('an answer that hangs half-way ends with the signal', async () => {
  await using endpoint = await openEndpoint({ answer: (response) => response.writeHead(200).write('half') });
  const notifier = openNotifier('http', '--notify-http-url', endpoint.url);
  await expect(notifier.notify(notice, AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
  await until(async () => (await endpoint.openConnections()) === 0);
});

test('an application that closes the connection without an answer is unreachable', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await expect(openNotifier('http', '--notify-http-url', url).notify(notice, never)).rejects.toMatchObject({
    code: 'NOTIFY_HTTP_UNREACHABLE',
  });
  server.close();
});

test('a wait that the application asks for is passed on', async () => {
  await using endpoint = await openEndpoint(answering(503, { 'retry-after': '7' }));
  const notifier = openNotifier('http', '--notify-http-url', endpoint.url);
  await expect(notifier.notify(notice, never)).rejects.toMatchObject({ fields: { status: 503, retryAfter: 7000 } });
});

test('an https application is trusted by the authority in the file as it is now, and by no other', async () => {
  await using directory = await scratch();
  const [authority, stranger] = ['trusted', 'stranger'].map((name) => makeCertificate({ name, authority: true }));
  const made = makeCertificate({ issuer: authority! });
  const server = createSecureServer({ cert: made.cert, key: made.key }, (_, response) => response.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await writeFile(directory.join('ca.crt'), stranger!.cert);
  const notifier = openNotifier('http', '--notify-http-url', url, '--notify-http-ca-file', directory.join('ca.crt'));
  await expect(notifier.notify(notice, never)).rejects.toMatchObject({ code: 'NOTIFY_HTTP_UNREACHABLE' });
  await writeFile(directory.join('ca.crt'), authority!.cert);
  expect(await notifier.notify(notice, never)).toEqual({ status: 200 });
  await writeFile(directory.join('ca.crt'), 'no certificate');
  const wrong = notifier.notify(notice, never).catch((error: Error) => error.cause);
  expect(await wrong).toMatchObject({ about: 'caFile', message: 'holds no PEM certificate' });
  await expect(openNotifier('http', '--notify-http-url', url).notify(notice, never)).rejects.toThrow(
    'cannot be reached',
  );
  server.close();
});
