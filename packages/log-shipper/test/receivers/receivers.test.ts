// That the receivers are as strict as the vendors: a sink that passes against them has something to show for it.

import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { startPeer } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { DatadogReceiver } from './datadog.ts';
import { ElasticsearchReceiver } from './elasticsearch.ts';
import { LokiReceiver } from './loki.ts';
import { OtlpReceiver } from './otlp.ts';
import { receivers } from './receivers.ts';
import { SplunkReceiver } from './splunk.ts';

type Given = { path?: string; body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> };

const post = (url: string, { path = '', body = '', headers = {} }: Given) =>
  fetch(`${url}${path}`, { method: 'POST', body, headers, signal: AbortSignal.timeout(5_000) });

describe('Splunk', () => {
  const channel = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
  const path = '/services/collector/event';
  for (const [name, given, code, number] of [
    ['no token', { headers: {} }, 2],
    ['another scheme', { headers: { authorization: 'Bearer x' } }, 3],
    ['a wrong token', { headers: { authorization: 'Splunk nope' } }, 4],
    ['a token in the query', { path: `${path}?token=x` }, 16],
    ['nothing', { body: ' \n' }, 5],
    ['what is no JSON', { body: '{"event":"a"}{"event":' }, 6, 1],
    ['an unknown key', { body: '{"event":"a","message":"b"}' }, 6, 0],
    ['another index', { body: '{"event":"a"}{"event":"b","index":"secret"}' }, 7, 1],
    ['no event', { body: '{"time":1}' }, 12, 0],
    ['an empty event', { body: '{"event":"a"} {"event":""}' }, 13, 1],
    ['nested fields', { body: '{"event":"a","fields":{"b":{"c":1}}}' }, 15, 0],
    ['a time in words', { body: '{"event":"a","time":"today"}' }, 6, 0],
    ['a channel that is no GUID', { headers: { 'x-splunk-request-channel': 'x' } }, 11],
    ['raw without a channel', { path: '/services/collector/raw', body: 'a\n' }, 10],
    ['a question for acknowledgements that are off', { path: '/services/collector/ack', body: '{"acks":[0]}' }, 14],
  ] as [string, Given, number, number?][]) {
    test(`refuses ${name} with code ${code}`, async () => {
      await using receiver = await SplunkReceiver.listen();
      receiver.indexes = ['main'];
      const headers = { authorization: `Splunk ${receiver.token}`, ...given.headers };
      if (given.headers && !('x-splunk-request-channel' in given.headers))
        if (!given.headers.authorization) delete (headers as { authorization?: string }).authorization;
      const response = await post(receiver.url, { path, body: '{"event":"a"}', ...given, headers });
      const more = number === undefined ? {} : { 'invalid-event-number': number };
      expect(await response.json()).toMatchObject({ code, ...more });
      expect(response.status).toBe(code === 2 || code === 3 ? 401 : code === 4 ? 403 : 400);
      expect(receiver.stored).toEqual([]);
    });
  }

  test('takes events one behind the other, and acknowledges each request once', async () => {
    await using receiver = await SplunkReceiver.listen();
    receiver.useAck = true;
    const headers = { authorization: `Splunk ${receiver.token}`, 'x-splunk-request-channel': channel };
    const body = '{"event":"a","time":1.123456789}{"event":{"log":"}{"}}\n{"event":"c","fields":{"x":["1",2]}}';
    expect(await (await post(receiver.url, { path, body, headers })).json()).toMatchObject({ code: 0, ackId: 0 });
    expect(receiver.lines).toEqual(['a', '}{', 'c']);
    const ask = async () =>
      (
        await post(receiver.url, {
          path: `/services/collector/ack?channel=${channel}`,
          body: '{"acks":[0,7]}',
          headers: { authorization: headers.authorization },
        })
      ).json();
    expect(await ask()).toEqual({ acks: { 0: true, 7: false } });
    expect(await ask()).toEqual({ acks: { 0: false, 7: false } });
  });
});

describe('Elasticsearch', () => {
  const action = (name: string, target: object) => `${JSON.stringify({ [name]: target })}\n`;
  const time = '{"@timestamp":"2026-11-21T00:00:00.123456789Z","message":"a"}\n';
  const stream = { _index: 'logs-app-default' };
  const bulk = (receiver: ElasticsearchReceiver, body: string, path = '/_bulk') =>
    post(receiver.url, { path, body, headers: { 'content-type': 'application/x-ndjson' } });

  for (const [name, body] of [
    ['no newline at the end', `${action('create', stream)}${time}`.trimEnd()],
    ['an action that is none', `${action('make', stream)}${time}`],
    ['an unknown parameter', `${action('create', { ...stream, id: 'x' })}${time}`],
    ['an action without a source', action('create', stream)],
    ['a source over two lines', `${action('create', stream)}{"message":\n"a"}\n`],
    ['no index', `${action('create', {})}${time}`],
  ] as const) {
    test(`refuses a whole request with ${name}`, async () => {
      await using receiver = await ElasticsearchReceiver.listen();
      expect((await bulk(receiver, body)).status).toBe(400);
      expect(receiver.stored).toEqual([]);
    });
  }

  test('gives a verdict for each item, and the part of it that was asked for', async () => {
    await using receiver = await ElasticsearchReceiver.listen();
    const body = [
      action('create', { ...stream, _id: '1' }) + time,
      action('create', { ...stream, _id: '1' }) + time,
      action('index', stream) + time,
      `${action('create', stream)}{"message":"b"}\n`,
      `${action('create', stream)}{"@timestamp":"yesterday"}\n`,
    ].join('');
    const filter = '?filter_path=errors,items.*.status,items.*.error.type';
    expect(await (await bulk(receiver, body, `/_bulk${filter}`)).json()).toEqual({
      errors: true,
      items: [
        { create: { status: 201 } },
        { create: { status: 409, error: { type: 'version_conflict_engine_exception' } } },
        { index: { status: 400, error: { type: 'illegal_argument_exception' } } },
        { create: { status: 400, error: { type: 'document_parsing_exception' } } },
        { create: { status: 400, error: { type: 'document_parsing_exception' } } },
      ],
    });
    expect(receiver.lines).toEqual(['a']);
  });
});

describe('Datadog', () => {
  const send = (receiver: DatadogReceiver, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    post(receiver.url, {
      path: '/api/v2/logs',
      body,
      headers: { 'content-type': 'application/json', 'dd-api-key': receiver.key, ...headers },
    });

  test('refuses more than 1000 entries, more than 5 MB, wrong types and wrong keys', async () => {
    await using receiver = await DatadogReceiver.listen();
    const many = JSON.stringify(Array.from({ length: 1001 }, () => ({ message: 'a' })));
    expect((await send(receiver, many)).status).toBe(413);
    const large = JSON.stringify([{ message: 'x'.repeat(5_000_000) }]);
    expect((await send(receiver, gzipSync(large), { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await send(receiver, '[{"message":"a","ddtags":["a:b"]}]')).status).toBe(400);
    expect((await send(receiver, '[1]')).status).toBe(400);
    expect((await send(receiver, '[]', { 'dd-api-key': 'other' })).status).toBe(403);
    expect((await send(receiver, '[]', { 'dd-api-key': '' })).status).toBe(401);
    expect(receiver.stored).toEqual([]);
  });

  test('cuts an entry of more than a megabyte and says nothing of it', async () => {
    await using receiver = await DatadogReceiver.listen();
    const response = await send(receiver, JSON.stringify([{ message: 'x'.repeat(1_000_001) }, { message: 'b' }]));
    expect([response.status, receiver.truncated, receiver.stored.length]).toEqual([202, 1, 2]);
  });
});

describe('Loki', () => {
  const now = () => `${Date.now()}000000`;
  const send = (receiver: LokiReceiver, values: unknown[], stream: object = { app: 'a' }) =>
    post(receiver.url, {
      path: '/loki/api/v1/push',
      body: JSON.stringify({ streams: [{ stream, values }] }),
      headers: { 'content-type': 'application/json' },
    });

  test('refuses times that are numbers, metadata that is not text, and labels that are none or too many', async () => {
    await using receiver = await LokiReceiver.listen();
    expect((await send(receiver, [[Date.now(), 'a']])).status).toBe(400);
    expect((await send(receiver, [[now(), 'a', { level: 9 }]])).status).toBe(400);
    expect((await send(receiver, [[now(), 'a']], {})).status).toBe(400);
    expect((await send(receiver, [[now(), 'a']], { 'a-b': 'c' })).status).toBe(400);
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`l${at}`, 'x']));
    expect((await send(receiver, [[now(), 'a']], many)).status).toBe(400);
    expect(receiver.stored).toEqual([]);
  });

  test('stores what is right and answers 400 for the rest', async () => {
    await using receiver = await LokiReceiver.listen();
    receiver.lineLimit = 10;
    const old = `${Date.now() - 8 * 86_400_000}000000`;
    const behind = `${Date.now() - 2 * 3_600_000}000001`;
    const response = await send(receiver, [
      [now(), 'right'],
      [now(), 'far too long'],
      [old, 'old'],
      [behind, 'behind'],
    ]);
    expect(response.status).toBe(400);
    const said = await response.text();
    expect(said).toContain('with length');
    expect(said).toContain('timestamp too old');
    expect(said).toMatch(/entry with timestamp \S+ \S+\.\d+ \+0000 UTC ignored/);
    expect(receiver.lines).toEqual(['right']);
  });
});

test('OTLP refuses snake case, numbers of 64 bits and base64 identifiers', async () => {
  await using receiver = await OtlpReceiver.listen();
  const send = async (record: object) => {
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
    return (await post(receiver.url, { path: '/v1/logs', body, headers: { 'content-type': 'application/json' } }))
      .status;
  };
  expect(await send({ time_unix_nano: '1' })).toBe(400);
  expect(await send({ timeUnixNano: 1 })).toBe(400);
  expect(await send({ severityNumber: 'SEVERITY_NUMBER_INFO' })).toBe(400);
  expect(await send({ body: { intValue: 5 } })).toBe(400);
  expect(await send({ traceId: 'W47/95gDgQPSaYzgBA/P6Q==' })).toBe(400);
  expect(
    await send({ timeUnixNano: '1', severityNumber: 9, body: { stringValue: 'a' }, traceId: 'ab'.repeat(16) }),
  ).toBe(200);
  receiver.poison = () => 'no';
  expect(await send({ body: { stringValue: 'b' } })).toBe(200);
  expect(receiver.lines).toEqual(['a']);
});

describe.each(Object.keys(receivers) as (keyof typeof receivers)[])('%s', (name) => {
  test('fails as it is told to, for as many requests as it is told to', async () => {
    await using receiver = await receivers[name].listen();
    const path = { 'splunk-hec': '/services/collector', datadog: '/api/v2/logs', loki: '/loki/api/v1/push' }[
      name as string
    ];
    const ask = () => post(receiver.url, { ...(path && { path }), body: 'x' });
    receiver.fail({ fault: 'answer', status: 429, headers: { 'retry-after': '7' }, body: 'slow down' }, 2);
    for (let each = 0; each < 2; each++) {
      const response = await ask();
      expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    }
    receiver.fail({ fault: 'reset' });
    await expect(ask()).rejects.toThrow();
    receiver.fail({ fault: 'huge answer', status: 500 });
    expect((await (await ask()).arrayBuffer()).byteLength).toBe(5 << 20);
    expect((await ask()).status).toBeGreaterThanOrEqual(400);
    receiver.limit = 10;
    const bomb = gzipSync('x'.repeat(1000));
    expect(
      (await post(receiver.url, { ...(path && { path }), body: bomb, headers: { 'content-encoding': 'gzip' } })).status,
    ).toBe(413);
    const zstd = await post(receiver.url, { body: zstdCompressSync('x'), headers: { 'content-encoding': 'zstd' } });
    expect(zstd.status === 415).toBe(['splunk-hec', 'elasticsearch', 'opensearch'].includes(name));
  });
});

test('a receiver runs in a process of its own, and is told there how to fail and asked what it has', async () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  await using program = await startPeer(process.execPath, [main, 'http'], { ready: /^http:/m });
  const url = program.stdout.trim().replace('/logs', '');
  const told = await post(url, { path: '/-/fail', body: JSON.stringify({ fault: 'answer', status: 503, times: 2 }) });
  expect(told.status).toBe(204);
  const send = async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    return (await post(url, { path: '/logs', body: '{"log":"a"}\n', headers })).status;
  };
  expect([await send(), await send(), await send()]).toEqual([503, 503, 200]);
  const state = (await (await fetch(`${url}/-/state`)).json()) as object;
  expect(state).toMatchObject({ lines: ['a'], requests: 3, failed: ['answer', 'answer'] });
});
