import { expect, test } from 'vitest';
import { recordsOf } from '../chunk.ts';
import { PlainHttpReceiver } from '../receivers/plain-http.ts';
import { drain, openTo } from './http-peers.ts';

const delivered = { became: 'delivered' };

test.each([
  [200, 'delivered'],
  [201, 'delivered'],
  [204, 'delivered'],
  [307, 'paused'],
  [400, 'split'],
  [401, 'paused'],
  [403, 'paused'],
  [404, 'paused'],
  [405, 'paused'],
  [408, 'retry'],
  [413, 'split'],
  [422, 'split'],
  [425, 'retry'],
  [429, 'retry'],
  [500, 'retry'],
  [501, 'paused'],
  [599, 'retry'],
])('status %i: %s', async (status, became) => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver);
  receiver.fail({ fault: 'answer', status });
  expect(await to.write(['one', 'two'])).toMatchObject({ became });
  receiver.fail({ fault: 'answer', status });
  expect(await to.write(['alone'])).toMatchObject({ became: became === 'split' && status !== 413 ? 'dead' : became });
});

test.each([
  ['ndjson', [{ a: 1 }, { b: 2 }]],
  ['json', [{ a: 1 }, { b: 2 }]],
  ['lines', ['{"a":1}', '{"b":2}']],
])('format %s', async (format, stored) => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver, ['--sink-http-format', format]);
  const records = recordsOf(['{"a":1}', '{"b":2}']);
  records.format = 'json';
  expect(await to.write(records)).toEqual(delivered);
  expect(receiver.stored.map(({ record }) => record)).toEqual(stored);
});

test('pieces of an array are arrays', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  receiver.limit = 40;
  await using to = await openTo('http', receiver, ['--sink-http-format', 'json', '--sink-http-compression', 'none']);
  const { dead } = await drain(to, to.batch(['one', 'two', 'three', 'four', 'five']));
  expect([dead, receiver.lines]).toEqual([[], ['one', 'two', 'three', 'four', 'five']]);
});

test('time, level and id are added under the names that are asked for', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver, [
    ...['--sink-http-time-field', 't', '--sink-http-level-field', 'l', '--sink-http-id-field', 'id'],
  ]);
  const records = recordsOf(['one']);
  records.levels = Uint8Array.of(13);
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  const t = new Date(records.readAt).toISOString();
  expect(receiver.stored[0]!.record).toEqual({ log: 'one', t, l: 'warn', id: batch.uid(0) });
});

test('headers show fields, and records that differ in them go in requests of their own', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver, [
    ...['--sink-http-headers', 'X-App=shop', '--sink-http-headers', 'X-User=u-{user}/{env}'],
  ]);
  const users = ['a', 'a', 'a', 'b', 'b\\r\\nX-Evil: 1', 'c\u00e4'];
  const records = recordsOf(users.map((user, at) => `{"user":"${user}","log":"${at}"}`));
  records.format = 'json';
  records.common = { env: 'prod' };
  expect((await drain(to, to.batch(records))).dead).toEqual([]);
  expect(receiver.stored.map(({ meta }) => (meta.headers as Record<string, string>)['x-user'])).toEqual([
    ...['u-a/prod', 'u-a/prod', 'u-a/prod', 'u-b/prod', 'u-b??X-Evil: 1/prod', 'u-c?/prod'],
  ]);
  expect(receiver.lines).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(receiver.requests[0]!.headers).toMatchObject({ 'x-app': 'shop' });
});

test.for([
  ['headers', 'no name=x'],
  ['headers', 'X-A=one\ntwo'],
  ['api-key-header', 'no name'],
])('--sink-http-%s %j can never be sent, and is refused at once', async ([flag, value]) => {
  await using receiver = await PlainHttpReceiver.listen();
  await expect(openTo('http', receiver, [`--sink-http-${flag}`, value!])).rejects.toThrow(/[Ii]nvalid|[Hh]eader/);
});

test('a key goes in the header that is named', async () => {
  await using receiver = await PlainHttpReceiver.listen();
  await using to = await openTo('http', receiver, ['--sink-http-api-key-header', 'X-Key'], {
    OUTRIGGER_SINK_HTTP_API_KEY: 'secret',
  });
  expect(await to.write(['one'])).toEqual(delivered);
  expect(receiver.requests[0]!.headers['x-key']).toBe('secret');
});
