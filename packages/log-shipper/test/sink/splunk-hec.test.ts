import { writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { recordsOf } from '../chunk.ts';
import { hecReply, SplunkReceiver } from '../receivers/splunk.ts';
import { credentialsFor, openSink, openTo } from './http-peers.ts';

const lines = ['one', 'two', 'three'];
const delivered = { became: 'delivered' };
const all = (codes: number[], became: string) => codes.map((code) => [code, became] as const);

describe('what each code means', () => {
  test.each([
    ...all([0, 24, 25], 'delivered'),
    // The token, the channel and the index are the same for all that is sent.
    ...all([1, 2, 3, 4, 7, 11, 14, 16, 21, 22], 'paused'),
    ...all([8, 9, 18, 19, 20, 23, 26, 27], 'retry'),
    // Some event is wrong, and it is not said which.
    ...all([5, 6, 12, 13, 15], 'split'),
  ])('%i: %s', async (code, became) => {
    await using receiver = await SplunkReceiver.listen();
    await using to = await openTo('splunk-hec', receiver);
    const reply = hecReply(code);
    receiver.fail({ fault: 'answer', ...reply });
    const verdict = await to.write(lines);
    expect(verdict.became).toBe(became);
    if ('reason' in verdict) expect(verdict.reason).toContain((reply.body as { text: string }).text);
  });

  test.each([
    [408, 'retry'],
    [413, 'split'],
    [500, 'retry'],
    [415, 'paused'],
  ])('status %i without a code: %s', async (status, became) => {
    await using receiver = await SplunkReceiver.listen();
    await using to = await openTo('splunk-hec', receiver);
    receiver.fail({ fault: 'answer', status, headers: { 'content-type': 'text/html' }, body: '<h1>no</h1>' });
    expect(await to.write(lines)).toMatchObject({ became });
  });

  test.each([6, 12, 13, 15])(
    '%i with the number of the event: that one is dead, the others are sent again',
    async (code) => {
      await using receiver = await SplunkReceiver.listen();
      await using to = await openTo('splunk-hec', receiver);
      receiver.fail({ fault: 'answer', ...hecReply(code, { 'invalid-event-number': 1 }) });
      expect(await to.write(lines)).toMatchObject({ became: 'partly', retry: [0, 2], dead: [{ index: 1 }] });
      receiver.fail({ fault: 'answer', ...hecReply(code, { 'invalid-event-number': 7 }) });
      expect(await to.write(lines)).toMatchObject({ became: 'split' });
      receiver.fail({ fault: 'answer', ...hecReply(code, { 'invalid-event-number': 0 }) });
      expect(await to.write(['alone'])).toMatchObject({ became: 'dead' });
    },
  );

  test('200 with no code of a collector is no acknowledgement', async () => {
    await using receiver = await SplunkReceiver.listen();
    await using to = await openTo('splunk-hec', receiver);
    for (const body of ['', 'ok', '{}', '{"text":"Invalid data format","code":6}', 'null']) {
      receiver.fail({ fault: 'answer', status: 200, body });
      expect([body, await to.write(lines)]).toMatchObject([body, { became: 'retry' }]);
    }
  });
});

test('an event has time, source, level and id, and what parameters say', async () => {
  await using receiver = await SplunkReceiver.listen();
  await using to = await openTo('splunk-hec', receiver, [
    ...['--sink-splunk-hec-index', 'main', '--sink-splunk-hec-sourcetype', 'app', '--sink-splunk-hec-host', 'node "1"'],
  ]);
  const records = recordsOf(['{"user":"a","log":"hi"}', 'plain']);
  records.format = 'json';
  records.excuse(1, 'no JSON');
  records.times = { seconds: Float64Array.of(1_700_000_000, 1_700_000_001), nanos: Uint32Array.of(123_456_789, 0) };
  records.levels = Uint8Array.of(17, 0);
  records.common = { env: 'prod' };
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  const same = { source: '/logs/app.log', host: 'node "1"', sourcetype: 'app', index: 'main' };
  expect(receiver.stored.map(({ record }) => record)).toEqual([
    {
      ...same,
      time: expect.closeTo(1_700_000_000.123_456, 5),
      event: { user: 'a', log: 'hi', env: 'prod' },
      fields: { level: 'error', log_record_uid: batch.uid(0) },
    },
    {
      ...same,
      time: 1_700_000_001,
      event: { log: 'plain', env: 'prod', parse_error: 'no JSON' },
      fields: { log_record_uid: batch.uid(1) },
    },
  ]);
  expect(batch.bytes.toString()).toContain('"time":1700000000.123456789,');
});

test('raw: lines as they were, with what parameters say in the query, and a channel', async () => {
  await using receiver = await SplunkReceiver.listen();
  await using to = await openTo('splunk-hec', receiver, [
    ...['--sink-splunk-hec-mode', 'raw', '--sink-splunk-hec-sourcetype', 'access combined'],
  ]);
  expect(await to.write(['{"a":1}', 'b "c"'])).toEqual(delivered);
  expect(receiver.lines).toEqual(['{"a":1}', 'b "c"']);
  expect(receiver.stored[0]!.meta).toMatchObject({ sourcetype: 'access combined' });
  expect(receiver.requests[0]!.headers['x-splunk-request-channel']).toMatch(/^[0-9a-f-]{36}$/);
});

test.each(['', '/', '/services/collector', '/services/collector/event'])('the URL may end in "%s"', async (path) => {
  await using receiver = await SplunkReceiver.listen();
  await using to = await openSink(
    'splunk-hec',
    ['--sink-splunk-hec-url', `${receiver.url}${path}`],
    credentialsFor('splunk-hec', receiver),
  );
  expect(await to.write(lines)).toEqual(delivered);
});

test('a token that is changed in its file is used with the next attempt', async () => {
  await using directory = await scratch();
  await using receiver = await SplunkReceiver.listen();
  const file = directory.join('token');
  await writeFile(file, 'old-token-that-was-revoked\n');
  await using to = await openTo('splunk-hec', receiver, ['--sink-splunk-hec-token-file', file], {
    OUTRIGGER_SINK_SPLUNK_HEC_TOKEN: '',
  });
  const verdict = await to.write(lines);
  expect(verdict).toMatchObject({ became: 'paused', reason: 'status 403: {"text":"Invalid token","code":4}' });
  await writeFile(file, `${receiver.token}\n`);
  await until(async () => (await to.write(lines)).became === 'delivered');
  expect(receiver.lines).toEqual(lines);
});

test('a token that a proxy repeats is not repeated by us', async () => {
  await using receiver = await SplunkReceiver.listen();
  await using to = await openTo('splunk-hec', receiver);
  receiver.fail({ fault: 'answer', status: 403, body: `you said: Authorization: Splunk ${receiver.token}` });
  const verdict = await to.write(lines);
  expect(JSON.stringify(verdict)).not.toContain(receiver.token);
  expect(verdict).toMatchObject({ became: 'paused', reason: expect.stringContaining('[redacted]') });
});

describe('indexer acknowledgement', () => {
  const acknowledging = ['--sink-splunk-hec-acknowledge', '--sink-splunk-hec-acknowledge-timeout', '600ms'];

  test('a batch is delivered when the indexers have it, and not before', async () => {
    await using receiver = await SplunkReceiver.listen();
    receiver.useAck = true;
    let indexed = false;
    receiver.indexed = () => indexed;
    await using to = await openTo('splunk-hec', receiver, ['--sink-splunk-hec-acknowledge']);
    let became: string | undefined;
    const writing = to.write(lines).then((verdict) => {
      became = verdict.became;
    });
    await until(() => receiver.acksAsked >= 2);
    expect([became, receiver.lines]).toEqual([undefined, lines]);
    indexed = true;
    await writing;
    expect(became).toBe('delivered');
  });

  test('a batch that is not acknowledged in time is sent again', async () => {
    await using receiver = await SplunkReceiver.listen();
    receiver.useAck = true;
    receiver.indexed = () => false;
    await using to = await openTo('splunk-hec', receiver, acknowledging);
    expect(await to.write(lines)).toEqual({
      became: 'retry',
      reason: 'the indexers have not acknowledged it within 600ms',
    });
    receiver.indexed = () => true;
    expect(await to.write(lines)).toEqual(delivered);
    expect(receiver.lines).toEqual([...lines, ...lines]);
  });

  test('a token that acknowledges although nobody asked for it gets its channel, and is asked', async () => {
    await using receiver = await SplunkReceiver.listen();
    receiver.useAck = true;
    await using to = await openTo('splunk-hec', receiver);
    expect(await to.write(lines)).toMatchObject({ became: 'retry', after: 0 });
    expect(await to.write(lines)).toEqual(delivered);
    expect([receiver.lines, receiver.acksAsked]).toEqual([lines, 1]);
    expect([...receiver.channels.values()].map(({ size }) => size)).toEqual([0]);
  });

  test('stops waiting when it is told to', async () => {
    await using receiver = await SplunkReceiver.listen();
    receiver.useAck = true;
    receiver.indexed = () => false;
    await using to = await openTo('splunk-hec', receiver, ['--sink-splunk-hec-acknowledge']);
    const stop = new AbortController();
    const writing = to.write(lines, stop.signal);
    await until(() => receiver.acksAsked >= 1);
    stop.abort(new Error('enough'));
    await expect(writing).rejects.toThrow('enough');
  });
});
