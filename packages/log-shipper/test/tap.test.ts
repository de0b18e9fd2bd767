// The window on records as they are shipped.

import type { RunningSidecar } from '@outrigger/core/testing';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { sequence, text, toForward, workplace } from './shipper.ts';

/** What a listener has been shown so far. */
async function listen(shipper: RunningSidecar, query = '') {
  const response = await shipper.get(`/v1/tap${query}`);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const shown: Record<string, unknown>[] = [];
  let rest = '';
  const reading = (async () => {
    for await (const bytes of response.body!) {
      rest += Buffer.from(bytes).toString();
      const frames = rest.split('\n\n');
      rest = frames.pop()!;
      for (const frame of frames) {
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (data) shown.push(JSON.parse(data));
      }
    }
  })();
  // A sidecar that is killed cuts it off; one that stops ends it.
  const ended = reading.then(
    () => 'ended',
    () => 'cut off',
  );
  return { shown, ended };
}

test('shows each record with its origin and what the sink said, and ends when the sidecar stops', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using shipper = await place.ship([...toForward(receiver.address), '--fields', 'service=billing']);
  const { shown, ended } = await listen(shipper);
  await place.append('one\ntwo\n');
  await until(() => shown.length === 2);
  expect(shown).toMatchObject([
    {
      sink: 'forward',
      verdict: 'delivered',
      path: place.log(),
      offset: 0,
      length: 4,
      record: { log: 'one', service: 'billing' },
    },
    {
      sink: 'forward',
      verdict: 'delivered',
      path: place.log(),
      offset: 4,
      length: 4,
      record: { log: 'two', service: 'billing' },
    },
  ]);
  expect(new Set(shown.map(({ uid }) => uid)).size).toBe(2);
  shipper.kill('SIGTERM');
  expect(await ended).toBe('ended');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
});

test('shows why a sink does not take a record', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  await using shipper = await place.ship(toForward(receiver.address));
  const { shown } = await listen(shipper);
  await place.append('one\n');
  await until(() => shown.length >= 1);
  expect(shown[0]).toMatchObject({ verdict: 'retry', reason: expect.stringContaining('closed') });
  receiver.answer = 'acknowledge';
  await until(() => shown.at(-1)?.verdict === 'delivered');
});

test('shows no more than it was asked for, and counts the others', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await using shipper = await place.ship(toForward(receiver.address));
  const { shown } = await listen(shipper, '?rate=1');
  const { shown: nothing } = await listen(shipper, '?sink=stdout');
  await place.append(text(sequence(1, 1000)));
  await receiver.hasAll(sequence(1, 1000));
  let written = 1000;
  await until(async () => {
    await place.append(`line ${++written}\n`);
    return shown.length >= 2;
  });
  expect(shown[0]).toMatchObject({ skipped: 0, record: { log: 'line 1' } });
  expect(Number(shown[1]!.skipped)).toBeGreaterThanOrEqual(999);
  expect(nothing).toEqual([]);
});
