// What clients of gRPC are told when it is the proxy that answers.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { freePort, scratch } from '@outrigger/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { escaped, isGrpc, numberOf } from '../../src/http2/grpc.ts';
import type { RunningProxy } from '../start-proxy.ts';
import { flags } from './frames.ts';
import { echo, H2cApplication, message } from './grpc.ts';
import { type Answer, answerOn, H2Client, start } from './start.ts';

const call = { ':method': 'POST', ':path': '/service/Method', 'content-type': 'application/grpc', te: 'trailers' };

/** A response that is nothing but a head, with this status of gRPC. */
const only = (number: number, text: string) => ({
  ...{ status: 200, body: '', code: 0 },
  headers: { 'content-type': 'application/grpc', 'grpc-status': String(number), 'grpc-message': text },
});

/** The answer to a call with one message. */
async function ask(client: H2Client, further: Record<string, string> = {}): Promise<Answer> {
  const stream = client.request({ ...call, ...further }, false);
  stream.end(message('x'));
  return await answerOn(stream);
}

test('the application is not there: 14, unavailable', async () => {
  const port = await freePort();
  await using proxy = await start(`h2c://127.0.0.1:${port}`);
  using client = await H2Client.open(proxy.port);
  const failed = await proxy.growth('requests_total{code="5xx"}', async () => {
    expect(await ask(client)).toMatchObject(only(14, 'The application has not started yet; try again'));
  });
  // Counted as what it is, whatever it looks like to the client.
  expect(failed).toBe(1);
  {
    await using late = await H2cApplication.open(echo, { port });
    expect((await ask(client)).trailers['grpc-status']).toBe('0');
    expect(late.requests).toHaveLength(1);
  }
  expect(await ask(client)).toMatchObject(only(14, 'The application cannot be reached'));
});

describe('while the application is not there', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await start(`h2c://127.0.0.1:${await freePort()}`);
  });
  afterAll(() => proxy[Symbol.asyncDispose]());

  test('the status is all there is: its head ends the stream', async () => {
    using client = await H2Client.open(proxy.port);
    const stream = client.request(call, false);
    stream.end(message('x'));
    const [, flag] = await once(stream, 'response');
    expect(flag & flags.endStream).toBe(flags.endStream);
  });

  test.each(['application/json', 'application/grpc-web+proto'])(
    'a client that sends %s gets a problem',
    async (type) => {
      using client = await H2Client.open(proxy.port);
      const answer = await ask(client, { 'content-type': type });
      expect(answer).toMatchObject({ status: 503, headers: { 'content-type': 'application/problem+json' } });
      expect(answer.headers).not.toHaveProperty('grpc-status');
    },
  );
});

test('the application does not answer: 4, deadline exceeded', async () => {
  await using application = await H2cApplication.open(() => undefined);
  await using proxy = await start(application.url, '--tunnel-timeout', '200ms');
  using client = await H2Client.open(proxy.port);
  expect(await ask(client)).toMatchObject(only(4, 'The application did not answer in time'));
});

test('too large: 8, resource exhausted; not in order: 3, invalid argument', async () => {
  await using application = await H2cApplication.open(echo);
  await using proxy = await start(application.url, '--body-limit', '10B', '--head-limit', '2KiB');
  using client = await H2Client.open(proxy.port);
  expect(await ask(client)).toMatchObject({ body: message('echo x').toString() });
  const long = client.request(call, false);
  long.end(message('x'.repeat(100)));
  expect(await answerOn(long)).toMatchObject(only(8, 'The body is too large'));
  expect(await ask(client, { 'x-long': 'x'.repeat(3_000) })).toMatchObject(only(8, 'The header section is too large'));
  expect(await ask(client, { host: 'elsewhere.example' })).toMatchObject(
    only(3, 'The request target and the Host field name different hosts'),
  );
});

describe('in words', () => {
  test.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc;charset=x', true],
    ['application/grpc-web', false],
    ['application/grpcx', false],
    ['text/plain', false],
  ])('%s: %s', (type, expected) => {
    expect(isGrpc(['x', 'application/grpc', 'content-type', type])).toBe(expected);
  });

  test.each([
    [400, 3],
    [403, 7],
    [404, 12],
    [413, 8],
    [431, 8],
    [501, 2],
    [502, 14],
    [503, 14],
    [504, 4],
  ])('HTTP %i is %i', (status, number) => {
    expect(numberOf(status)).toBe(number);
  });

  test.each([
    ['as it is: ~ $&', 'as it is: ~ $&'],
    ['100%', '100%25'],
    ['a\r\nb\x7f', 'a%0D%0Ab%7F'],
    ['é ☃', '%C3%A9 %E2%98%83'],
  ])('%j is escaped', (text, expected) => {
    expect(escaped(text)).toBe(expected);
    expect(decodeURIComponent(escaped(text))).toBe(text);
  });
});

test('a rule denies it: 7, permission denied', async () => {
  await using application = await H2cApplication.open(echo);
  await using directory = await scratch();
  await writeFile(directory.join('rules.yaml'), 'rules: [{ path: /service, deny: 403 }]');
  await using proxy = await start(application.url, '--routes-file', directory.join('rules.yaml'));
  using client = await H2Client.open(proxy.port);
  expect(await ask(client)).toMatchObject(only(7, 'A rule denies this request'));
  expect(application.requests).toHaveLength(0);
});
