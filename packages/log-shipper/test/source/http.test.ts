import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { makeAddress, Secret } from '@outrigger/core';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { http } from '../../src/source/http.ts';
import { breaking, contentOf, openPushed, type Settings, startPushed } from './pushed.ts';

const address = makeAddress('127.0.0.1', 0);
const open = (given = {}, settings: Settings = {}) => openPushed(http, { address, ...given }, settings);
type Pushed = Awaited<ReturnType<typeof open>>;

const post = (pushed: Pushed, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
  fetch(pushed.source.listening!, { method: 'POST', body, headers });

async function problem(response: Response) {
  const { status, code, detail } = (await response.json()) as { status: number; code: string; detail: string };
  expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
  return { status, code, detail };
}

const ndjson = { 'content-type': 'application/x-ndjson' };
const json = { 'content-type': 'application/json; charset=utf-8' };

test('NDJSON, a JSON array, a JSON object and plain lines', async () => {
  await using pushed = await open();
  expect((await post(pushed, '{"a":1}\n\n{"a":12345678901234567890}\r\n', ndjson)).status).toBe(200);
  expect((await post(pushed, '[{"a":2},{"a":{"b":[null]}}]', json)).status).toBe(200);
  expect((await post(pushed, '{"a":\n3}', json)).status).toBe(200);
  expect((await post(pushed, '{"a":4}\n{"a":5}\n', json)).status).toBe(200);
  expect((await post(pushed, 'one\ntwo', { 'content-type': 'text/plain' })).status).toBe(200);
  expect((await post(pushed, '', ndjson)).status).toBe(200);
  expect((await pushed.read()).map(({ fields }) => JSON.stringify(fields))).toEqual([
    '{"a":1}',
    '{"a":12345678901234567890}',
    '{"a":2}',
    '{"a":{"b":[null]}}',
    '{"a":3}',
    '{"a":4}',
    '{"a":5}',
    '{"log":"one"}',
    '{"log":"two"}',
  ]);
});

test('gzip, several members of it, deflate with and without its head, zstd', async () => {
  await using pushed = await open();
  const body = '{"log":"x"}\n';
  const compressed = {
    gzip: Buffer.concat([gzipSync(body), gzipSync(body)]),
    deflate: deflateSync(body),
    Deflate: deflateRawSync(body),
    zstd: zstdCompressSync(body),
    identity: Buffer.from(body),
  };
  for (const [encoding, bytes] of Object.entries(compressed))
    expect([encoding, (await post(pushed, bytes, { ...ndjson, 'content-encoding': encoding })).status]).toEqual([
      encoding,
      200,
    ]);
  expect(await pushed.lines(6)).toEqual(['x', 'x', 'x', 'x', 'x', 'x']);
});

test('a bad line is named, and nothing of its request is taken', async () => {
  await using pushed = await open();
  expect(await problem(await post(pushed, '{"a":1}\n{"a":\n{"a":3}', ndjson))).toEqual({
    status: 400,
    code: 'NOT_JSON',
    detail: 'Line 2 is no valid JSON',
  });
  expect((await problem(await post(pushed, '{"a":1}\n[1]', ndjson))).detail).toBe('Line 2 is no JSON object');
  expect((await problem(await post(pushed, '[{},1]', json))).detail).toBe('Element 2 is no JSON object');
  expect((await problem(await post(pushed, '[{}', json))).detail).toBe('The body is no valid JSON');
  expect((await problem(await post(pushed, '"text"', json))).code).toBe('NOT_JSON');
  expect((await problem(await post(pushed, 'no gzip', { ...ndjson, 'content-encoding': 'gzip' }))).code).toBe(
    'NOT_COMPRESSED',
  );
  expect((await problem(await post(pushed, 'x', { ...ndjson, 'content-encoding': 'br' }))).status).toBe(415);
  expect((await problem(await post(pushed, 'x', { 'content-type': 'application/x-protobuf' }))).status).toBe(415);
  expect((await problem(await post(pushed, 'x', { 'content-type': 'text/plain; charset=utf-16' }))).status).toBe(415);
  expect((await problem(await fetch(pushed.source.listening!))).status).toBe(405);
  expect((await problem(await fetch(new URL('/', pushed.source.listening), { method: 'POST' }))).status).toBe(404);
  expect(await pushed.read()).toEqual([]);
});

test('a pipeline that fails is answered with 500 and takes nothing with it', async () => {
  await using pushed = await open();
  expect(await problem(await post(pushed, `{"log":"${breaking}"}`, ndjson))).toMatchObject({
    status: 500,
    code: 'INTERNAL',
  });
  expect((await post(pushed, 'fine')).status).toBe(200);
  expect(await pushed.lines(1)).toEqual(['fine']);
});

test('more records than make sense, in a body that is not too large: 413, and none is taken', async () => {
  await using pushed = await open({ bodyLimit: 100_000 });
  const answers = await Promise.all([
    post(pushed, '\n'.repeat(10_001)),
    post(pushed, '{}\n'.repeat(10_001), ndjson),
    post(pushed, `[${'{},'.repeat(10_000)}{}]`, json),
  ]);
  for (const answer of answers) expect(await problem(answer)).toMatchObject({ status: 413, code: 'TOO_MANY_RECORDS' });
  expect((await post(pushed, '\n'.repeat(10_000))).status).toBe(200);
  expect(await pushed.lines(10_000)).toHaveLength(10_000);
});

test('too large, said or not, compressed or not: 413, and memory is not taken for it', async () => {
  await using pushed = await open({ bodyLimit: 100_000 });
  expect((await problem(await post(pushed, 'x'.repeat(100_001)))).status).toBe(413);
  const bomb = gzipSync(Buffer.alloc(200_000_000, 0x61));
  const before = process.memoryUsage().arrayBuffers;
  // 200 kB that claim to be 200 MB.
  await using wider = await open({ bodyLimit: 1_000_000 });
  expect((await problem(await post(wider, bomb, { ...ndjson, 'content-encoding': 'gzip' }))).status).toBe(413);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  const socket = connect(Number(new URL(pushed.source.listening!).port));
  socket.write('POST /v1/logs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  for (let sent = 0; sent < 40 && !socket.destroyed; sent++) socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`);
  await until(() => answer.startsWith('HTTP/1.1 413'));
  socket.destroy();
});

test('who may send: the holder of the token; without one everybody but a page', async () => {
  await using pushed = await open({ token: Secret.of('s3cret') });
  expect((await problem(await post(pushed, 'x'))).status).toBe(401);
  expect((await problem(await post(pushed, 'x', { authorization: 'Bearer other' }))).status).toBe(401);
  expect((await post(pushed, 'x', { authorization: 'Bearer s3cret' })).status).toBe(200);
  await using open_ = await open();
  expect((await problem(await post(open_, 'x', { origin: 'http://evil.example' }))).status).toBe(403);
});

test('a full queue: 429 with Retry-After, and 200 again once there is room', async () => {
  await using pushed = await open({}, { limit: 500_000 });
  const body = `${'x'.repeat(1000)}\n`.repeat(50);
  let taken = 0;
  let refused: Response | undefined;
  while (!refused) {
    const response = await post(pushed, body);
    if (response.status === 200) taken++;
    else refused = response;
  }
  expect(refused.headers.get('retry-after')).toBe('1');
  expect((await problem(refused)).code).toBe('QUEUE_FULL');
  expect(pushed.source.troubles).toHaveLength(1);
  expect((await pushed.read()).length).toBe(taken * 50);
  expect((await post(pushed, body)).status).toBe(200);
  expect(pushed.source.troubles).toEqual([]);
});

test('a flood of requests is bounded: each has an answer, and what was accepted is there', async () => {
  await using pushed = await open({ bodyLimit: 1_000_000, connections: 50 });
  const body = `${'x'.repeat(1000)}\n`.repeat(900);
  const answers = await Promise.all(
    Array.from({ length: 60 }, () =>
      post(pushed, body).then(
        ({ status }) => status,
        () => 0,
      ),
    ),
  );
  expect(answers.every((status) => [0, 200, 429].includes(status))).toBe(true);
  const accepted = answers.filter((status) => status === 200).length;
  expect(accepted).toBeGreaterThan(10);
  expect((await pushed.read()).length).toBe(accepted * 900);
});

test('a sender that is gone in the middle of its body, and requests that are none', async () => {
  await using pushed = await open();
  for (const text of [
    'POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf',
    'GARBAGE\r\n\r\n',
    'POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const socket = connect(Number(new URL(pushed.source.listening!).port));
    socket.on('error', () => socket.destroy());
    await once(socket, 'connect');
    socket.write(text, () => socket.resetAndDestroy());
    await once(socket, 'close');
  }
  expect((await post(pushed, 'fine')).status).toBe(200);
  expect(await pushed.lines(1)).toEqual(['fine']);
});

test('killed at any moment, whatever was answered with 200 is in the queue', async () => {
  await using directory = await scratch();
  const queue = directory.join('spool');
  const accepted: string[] = [];
  let next = 0;
  for (const moment of [5, 200, 60]) {
    await using peer = await startPushed('http', queue, { address: makeAddress('127.0.0.1', 0) });
    const begun = accepted.length;
    let alive = true;
    const senders = Array.from({ length: 8 }, async () => {
      while (alive) {
        const lines = Array.from({ length: 20 }, () => `line ${next++}`);
        const send = fetch(peer.listening, { method: 'POST', body: lines.join('\n') });
        const status = await send.then(
          (response) => response.status,
          () => 0,
        );
        if (status === 200) accepted.push(...lines);
        else alive = false;
      }
    });
    await until(() => accepted.length > begun + moment * 20);
    peer.kill('SIGKILL');
    await Promise.all(senders);
    await peer.exited;
  }
  const there = new Set((await contentOf(queue)).map(({ fields }) => fields.log));
  expect(accepted.filter((line) => !there.has(line))).toEqual([]);
});
