import { describe, expect, test } from 'vitest';
import type { Death, Verdict } from '../../src/sink/sink.ts';
import { recordsOf } from '../chunk.ts';
import { goTime, LokiReceiver } from '../receivers/loki.ts';
import { sequence } from '../shipper.ts';
import { drain, openTo } from './http-peers.ts';

const delivered = { became: 'delivered' };
const seconds = Math.floor(Date.now() / 1000);

const deadOf = (verdict: Verdict): readonly Death[] => (verdict.became === 'partly' ? verdict.dead : []);

/** Lines with times, in seconds from now. */
const timed = (...each: readonly (readonly [line: string, offset: number])[]) => {
  const records = recordsOf(each.map(([line]) => line));
  records.times = {
    seconds: Float64Array.from(each, ([, offset]) => seconds + offset),
    nanos: new Uint32Array(each.length),
  };
  return records;
};

test.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [260, 'paused'],
  [401, 'paused'],
  [404, 'paused'],
  [413, 'split'],
  [422, 'split'],
  [429, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
])('status %i: %s', async (status, became) => {
  await using receiver = await LokiReceiver.listen();
  await using to = await openTo('loki', receiver);
  receiver.fail({ fault: 'answer', status, body: status === 204 ? undefined : 'words' });
  expect(await to.write(['one', 'two'])).toMatchObject({ became });
});

describe('a 400 has stored what was right', () => {
  test('what is too long, too old and too new is dead with its reason, and nothing is sent again', async () => {
    await using receiver = await LokiReceiver.listen();
    receiver.lineLimit = 100;
    await using to = await openTo('loki', receiver);
    const day = 86_400;
    const records = timed(
      ['right', 0],
      ['x'.repeat(101), 1],
      ['eight days', -8 * day],
      ['nine days', -9 * day],
      ['right, too', 2],
      ['tomorrow', day],
      ['next week', 7 * day],
    );
    const verdict = await to.write(records);
    expect(verdict).toMatchObject({ became: 'partly', retry: [] });
    const dead = deadOf(verdict);
    expect(dead.map(({ index }) => index)).toEqual([1, 2, 3, 5, 6]);
    expect(dead[0]!.reason).toContain("Max entry size '100' bytes exceeded");
    expect(dead[1]!.reason).toContain('oldest acceptable timestamp');
    expect(dead[3]!.reason).toContain('timestamp too new');
    expect(receiver.lines).toEqual(['right', 'right, too']);
    expect(receiver.requests.length).toBe(1);
  });

  test('of many that are too far behind ten are named; all of them are dead', async () => {
    await using receiver = await LokiReceiver.listen();
    await using to = await openTo('loki', receiver);
    expect(await to.write(timed(['newest', 0]))).toEqual(delivered);
    const verdict = await to.write(
      timed(...sequence(1, 30).map((line, at) => [line, -7200 + at] as const), ['right', -5]),
    );
    expect(verdict).toMatchObject({ became: 'partly', retry: [] });
    expect(deadOf(verdict).length).toBe(30);
    expect(receiver.lines).toEqual(['newest', 'right']);
  });

  test('a time that is named to the nanosecond is that of one entry', async () => {
    await using receiver = await LokiReceiver.listen();
    await using to = await openTo('loki', receiver);
    const records = timed(['one', 0], ['two', 0], ['three', 0]);
    records.times!.nanos.set([1_000_001, 120_000_000, 120_000_001]);
    const named = goTime(BigInt(seconds) * 1_000_000_000n + 120_000_001n);
    const body = `entry with timestamp ${named} ignored, reason: 'entry out of order' for stream: {job="outrigger"},\ntotal ignored: 1 out of 3`;
    receiver.fail({ fault: 'answer', status: 400, body });
    expect(await to.write(records)).toMatchObject({ became: 'partly', retry: [], dead: [{ index: 2 }] });
  });

  test('where nobody is named, what is sent again in halves is there once', async () => {
    await using receiver = await LokiReceiver.listen();
    receiver.poison = (line) => (line === 'line 9' ? 'something new that Loki refuses' : undefined);
    await using to = await openTo('loki', receiver);
    const batch = to.batch(sequence(1, 20));
    const { dead } = await drain(to, batch);
    expect(dead).toMatchObject([{ uid: batch.uid(8), reason: 'status 400: something new that Loki refuses' }]);
    expect(receiver.lines.toSorted()).toEqual(
      sequence(1, 20)
        .filter((line) => line !== 'line 9')
        .toSorted(),
    );
    expect(receiver.duplicates).toBeGreaterThan(0);
  });

  test('what is wrong with the labels is for somebody to mend', async () => {
    await using receiver = await LokiReceiver.listen();
    receiver.labelLimit = 1;
    await using to = await openTo('loki', receiver, ['--sink-loki-labels', 'app=a', '--sink-loki-labels', 'env=b']);
    expect(await to.write(['one'])).toMatchObject({
      became: 'paused',
      reason: expect.stringContaining('2 label names'),
    });
  });
});

test('an entry has its time in nanoseconds, level and id as structured metadata, and the labels', async () => {
  await using receiver = await LokiReceiver.listen();
  receiver.tenant = 'shop';
  await using to = await openTo('loki', receiver, ['--sink-loki-labels', 'app=a', '--sink-loki-tenant', 'shop']);
  const records = timed(['{"a":1}', 0], ['plain "text"', 0]);
  records.times!.nanos.set([123_456_789, 5_000_000]);
  records.format = 'json';
  records.excuse(1, 'no JSON');
  records.levels = Uint8Array.of(9, 0);
  records.common = { env: 'prod' };
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  const stream = '{app="a"}';
  expect(receiver.stored).toEqual([
    // Within a millisecond the place in the file decides: the second line begins at byte 8.
    {
      record: 'plain "text"',
      meta: { stream, time: `${seconds}005000008`, env: 'prod', parse_error: 'no JSON', log_record_uid: batch.uid(1) },
    },
    {
      record: '{"a":1,"env":"prod"}',
      meta: { stream, time: `${seconds}123456789`, level: 'info', log_record_uid: batch.uid(0) },
    },
  ]);
});

test('an application that says the same twice has said it twice', async () => {
  await using receiver = await LokiReceiver.listen();
  await using to = await openTo('loki', receiver);
  expect(await to.write(['tick', 'tick', 'tick'])).toEqual(delivered);
  expect(await to.write(timed(['tock', 0], ['tock', 0]))).toEqual(delivered);
  expect(receiver.lines).toEqual(['tick', 'tick', 'tick', 'tock', 'tock']);
});

test('entries are sent in the order of time, and verdicts are still about the right ones', async () => {
  await using receiver = await LokiReceiver.listen();
  receiver.lineLimit = 10;
  await using to = await openTo('loki', receiver);
  const verdict = await to.write(timed(['third', 3], ['far too long for it', 1], ['second', 2], ['first', 0]));
  expect(verdict).toMatchObject({ became: 'partly', retry: [], dead: [{ index: 1 }] });
  expect(receiver.lines).toEqual(['first', 'second', 'third']);
});
