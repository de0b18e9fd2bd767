import { expect, test } from 'vitest';
import { Encoder } from '../../src/encode.ts';
import { batchesOf, recordsOf } from '../chunk.ts';
import { DatadogReceiver } from '../receivers/datadog.ts';
import { sequence } from '../shipper.ts';
import { openTo } from './http-peers.ts';

const delivered = { became: 'delivered' };

test.each([
  [202, 'delivered'],
  [400, 'split'],
  [401, 'paused'],
  [403, 'paused'],
  [408, 'retry'],
  [413, 'split'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
])('status %i: %s', async (status, became) => {
  await using receiver = await DatadogReceiver.listen();
  await using to = await openTo('datadog', receiver);
  receiver.fail({ fault: 'answer', status, body: {} });
  expect(await to.write(['one', 'two'])).toMatchObject({ became });
});

test('a log has the reserved attributes; what parameters say wins over what was found', async () => {
  await using receiver = await DatadogReceiver.listen();
  await using to = await openTo('datadog', receiver, [
    ...['--sink-datadog-service', 'shop', '--sink-datadog-source', 'nodejs', '--sink-datadog-hostname', 'node-1'],
    ...['--sink-datadog-tags', 'env=prod', '--sink-datadog-tags', 'team=a'],
  ]);
  const records = recordsOf(['{"service":"other","status":200,"message":"hi"}', 'plain']);
  records.format = 'json';
  records.excuse(1, 'no JSON');
  const seconds = Math.floor(Date.now() / 1000) - 3600;
  records.times = { seconds: Float64Array.of(seconds, seconds + 1), nanos: Uint32Array.of(123_456_789, 0) };
  records.levels = Uint8Array.of(21, 0);
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  const same = { service: 'shop', ddsource: 'nodejs', hostname: 'node-1', ddtags: 'env:prod,team:a' };
  expect(receiver.stored.map(({ record }) => record)).toEqual([
    { ...same, message: 'hi', status: 'fatal', timestamp: seconds * 1000 + 123, 'log.record.uid': batch.uid(0) },
    {
      ...same,
      message: 'plain',
      parse_error: 'no JSON',
      timestamp: (seconds + 1) * 1000,
      'log.record.uid': batch.uid(1),
    },
  ]);
});

test('batches keep to the limits of the vendor', async () => {
  await using receiver = await DatadogReceiver.listen();
  await using to = await openTo('datadog', receiver);
  const { encoding, limits } = to.sink;
  const encoder = new Encoder(encoding, { bytes: limits!.bytes!, ...limits });
  const large = Array.from({ length: 9 }, (_, at) => `${at}${'x'.repeat(900_000)}`);
  for (const batch of batchesOf(encoder, recordsOf([...sequence(1, 2500), ...large])))
    expect(await to.sink.write(batch, AbortSignal.timeout(20_000))).toEqual(delivered);
  expect(receiver.lines.length).toBe(2509);
  // 1000, 1000, 500 with what is left of 5 MB, and the rest.
  expect(receiver.requests.length).toBe(4);
});

test('a log of more than a megabyte, of which Datadog keeps the beginning, is kept whole as a dead letter', async () => {
  await using receiver = await DatadogReceiver.listen();
  await using to = await openTo('datadog', receiver);
  expect(await to.write(['one', 'x'.repeat(1_000_001), 'three'])).toMatchObject({
    became: 'partly',
    retry: [],
    dead: [{ index: 1, reason: 'larger than 1 MB: Datadog keeps the beginning of it only' }],
  });
  expect([receiver.truncated, receiver.stored.length]).toEqual([1, 3]);
});

test.each([true, false])(
  'what is too old or too far ahead for Datadog arrives with the time of reading, fields seen: %s',
  async (seen) => {
    await using receiver = await DatadogReceiver.listen();
    await using to = await openTo('datadog', receiver, ['--sink-datadog-service', 'shop']);
    const times = [-19, -17, 0, 1, 3].map((hours) => Math.floor(Date.now() / 1000) + hours * 3600);
    const records = recordsOf(times.map((time) => `{"timestamp":"odd","t":${time},"message":"${time}"}`));
    records.format = 'json';
    records.sought = {
      timeField: 't',
      readTime(bytes, start, end, into) {
        into.seconds = Number(bytes.toString('latin1', start, end));
        return true;
      },
    };
    if (seen) {
      records.materialise();
      records.times = { seconds: Float64Array.from(times), nanos: new Uint32Array(times.length) };
    }
    expect(await to.write(records)).toEqual(delivered);
    expect(receiver.outOfTime).toBe(0);
    const late = (time: number) => ({
      timestamp: records.readAt,
      original_timestamp: `${new Date(time * 1000).toISOString()}`,
    });
    expect(receiver.stored.map(({ record }) => record)).toMatchObject([
      late(times[0]!),
      { timestamp: times[1]! * 1000 },
      { timestamp: times[2]! * 1000 },
      { timestamp: times[3]! * 1000 },
      { ...late(times[4]!), service: 'shop' },
    ]);
    expect(receiver.lines).toEqual(times.map(String));
  },
);
