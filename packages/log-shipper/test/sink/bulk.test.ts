// Elasticsearch and OpenSearch, which share one implementation.

import { freePort, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { recordsOf } from '../chunk.ts';
import { ElasticsearchReceiver } from '../receivers/elasticsearch.ts';
import { drain, openSink, openTo } from './http-peers.ts';

const lines = ['one', 'two', 'three', 'four'];
const delivered = { became: 'delivered' };
const statuses = (...each: number[]) => ({
  status: 200,
  body: {
    errors: each.some((status) => status >= 300),
    items: each.map((status) => ({
      create: status < 300 ? { status } : { status, error: { type: `type_${status}`, reason: `reason ${status}` } },
    })),
  },
});

describe('what is said of items', () => {
  test.each([
    ['created', [201, 200, 201, 201], delivered],
    ['there already', [409, 409, 201, 409], delivered],
    [
      'refused as a document',
      [201, 400, 201, 404],
      { became: 'partly', retry: [], dead: [{ index: 1, reason: '400 type_400: reason 400' }, { index: 3 }] },
    ],
    ['too many', [201, 429, 409, 503], { became: 'partly', retry: [1, 3], dead: [] }],
    ['mixed', [429, 400, 201, 409], { became: 'partly', retry: [0], dead: [{ index: 1 }] }],
    ['too many of all', [429, 429, 503, 429], { became: 'retry', reason: '429 type_429: reason 429' }],
    ['a block of the cluster', [403, 403, 403, 403], { became: 'retry' }],
    ['all refused', [400, 400, 400, 400], { became: 'partly', retry: [], dead: [{ index: 0 }, {}, {}, {}] }],
  ])('%s', async (_, items, verdict) => {
    await using receiver = await ElasticsearchReceiver.listen();
    await using to = await openTo('elasticsearch', receiver);
    receiver.fail({ fault: 'answer', ...statuses(...items) });
    expect(await to.write(lines)).toMatchObject(verdict);
  });

  test.each([
    ['fewer items', statuses(201, 400)],
    ['no items', { status: 200, body: { errors: true } }],
    ['no object', { status: 200, body: '[]' }],
    ['nothing', { status: 200, body: '' }],
  ])('%s are no answer: it is sent again, and what has arrived is recognised', async (_, answer) => {
    await using receiver = await ElasticsearchReceiver.listen();
    await using to = await openTo('elasticsearch', receiver);
    receiver.fail({ fault: 'answer after storing', ...answer });
    const batch = to.batch(lines);
    expect(await drain(to, batch)).toEqual({ dead: [], verdicts: ['retry', 'delivered'] });
    expect(receiver.lines).toEqual(lines);
  });
});

test.each([
  [400, 'split'],
  [401, 'paused'],
  [403, 'paused'],
  [404, 'paused'],
  [413, 'split'],
  [429, 'retry'],
  [500, 'retry'],
  [501, 'paused'],
  [503, 'retry'],
])('the whole request, status %i: %s', async (status, became) => {
  await using receiver = await ElasticsearchReceiver.listen();
  await using to = await openTo('elasticsearch', receiver);
  receiver.fail({ fault: 'answer', status, body: { error: { type: 'a', reason: 'b' } } });
  expect(await to.write(lines)).toMatchObject({ became });
});

test('what was stored before the connection broke is there once, however often it is sent', async () => {
  await using receiver = await ElasticsearchReceiver.listen();
  await using to = await openTo('elasticsearch', receiver);
  const batch = to.batch(lines);
  receiver.fail({ fault: 'hang up after storing' }, 5);
  const attempt = () => to.sink.write(batch, AbortSignal.timeout(5_000)).catch((error: Error) => error.message);
  expect(await attempt()).toContain('closed before an answer');
  await until(async () => typeof (await attempt()) === 'object');
  expect(receiver.requests.length).toBe(6);
  expect(receiver.lines).toEqual(lines);
});

test('items whose queue is full are sent again alone', async () => {
  await using receiver = await ElasticsearchReceiver.listen();
  const busy = new Set(['two', 'four']);
  receiver.busy = ({ message }) => busy.delete(String(message));
  await using to = await openTo('elasticsearch', receiver);
  expect(await drain(to, to.batch(lines))).toEqual({ dead: [], verdicts: ['partly', 'delivered'] });
  expect(receiver.lines).toEqual(['one', 'three', 'two', 'four']);
});

test('a document has @timestamp, level and fields; its id is the same in every run', async () => {
  await using receiver = await ElasticsearchReceiver.listen();
  await using to = await openTo('elasticsearch', receiver, ['--sink-elasticsearch-index', 'logs-shop-prod']);
  const records = recordsOf(['{"a":12345678901234567890,"b":"\\n{\\"create\\":{}}\\n"}', 'plain']);
  records.format = 'json';
  records.excuse(1, 'no JSON');
  records.times = { seconds: Float64Array.of(1_700_000_000, Number.NaN), nanos: Uint32Array.of(123_456_789, 0) };
  records.levels = Uint8Array.of(9, 13);
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  expect(receiver.stored).toMatchObject([
    {
      record: { '@timestamp': '2023-11-14T22:13:20.123456789Z', 'log.level': 'info', b: '\n{"create":{}}\n' },
      meta: { index: 'logs-shop-prod', id: batch.uid(0) },
    },
    {
      record: {
        '@timestamp': new Date(records.readAt).toISOString(),
        'log.level': 'warn',
        message: 'plain',
        parse_error: 'no JSON',
      },
      meta: { id: batch.uid(1) },
    },
  ]);
  expect(batch.bytes.toString()).toContain('12345678901234567890');
  expect(receiver.requests[0]!.path).toContain('/logs-shop-prod/_bulk?filter_path=errors%2C');
});

describe('of several nodes', () => {
  const toNodes = (...urls: string[]) =>
    openSink(
      'elasticsearch',
      urls.flatMap((url) => ['--sink-elasticsearch-url', url]),
    );

  test('the next one is used while one does not answer, and it stays with that', async () => {
    await using receiver = await ElasticsearchReceiver.listen();
    await using to = await toNodes(`http://127.0.0.1:${await freePort()}`, receiver.url);
    for (let each = 0; each < 3; each++) expect(await to.write([`line ${each}`])).toEqual(delivered);
    expect(receiver.connections).toBe(1);
  });

  test('one that answers 503 is passed over; when all do, that is the answer', async () => {
    await using first = await ElasticsearchReceiver.listen();
    await using second = await ElasticsearchReceiver.listen();
    await using to = await toNodes(first.url, second.url);
    first.fail({ fault: 'answer', status: 503 });
    expect(await to.write(['one'])).toEqual(delivered);
    expect([first.lines, second.lines]).toEqual([[], ['one']]);
    second.fail({ fault: 'answer', status: 503, body: 'second' });
    first.fail({ fault: 'answer', status: 503, body: 'first' });
    expect(await to.write(['two'])).toMatchObject({ became: 'retry', reason: 'status 503: first' });
  });
});

test.each([
  [['--sink-opensearch-user', 'elastic'], { PASSWORD: 'changeme' }, `Basic ${btoa('elastic:changeme')}`],
  [[], { API_KEY: 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6' }, 'ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6'],
  [[], { TOKEN: 'abc.def' }, 'Bearer abc.def'],
] as const)('shows who asks: %j %j', async (args, secrets, authorization) => {
  await using receiver = await ElasticsearchReceiver.listen();
  receiver.authorization = authorization;
  const env = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [`OUTRIGGER_SINK_OPENSEARCH_${name}`, value]),
  );
  await using to = await openTo('opensearch', receiver, args, env);
  expect(await to.write(lines)).toEqual(delivered);
  receiver.authorization = 'another';
  expect(await to.write(lines)).toMatchObject({
    became: 'paused',
    reason: expect.stringContaining('unable to authenticate'),
  });
});
