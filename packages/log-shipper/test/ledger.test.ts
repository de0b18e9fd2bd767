// The ledger adds up.

import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from './shipper.ts';

test('read is delivered and buffered, before and after the sink takes it, and after a restart', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  const content = text(sequence(1, 1000));
  await place.append(content);
  {
    await using shipper = await place.ship(toForward(receiver.address));
    await until(async () => (await ledgerOf(shipper)).sinks[0]?.state === 'retrying');
    const none = { dead: 0, dropped: {}, skipped: 0 };
    expect((await ledgerOf(shipper)).sinks).toMatchObject([
      { read: content.length, delivered: 0, buffered: content.length, ...none },
    ]);
    receiver.answer = 'acknowledge';
    await until(async () => (await ledgerOf(shipper)).sinks[0]?.buffered === 0);
    const expected = { read: content.length, delivered: content.length, buffered: 0, ...none };
    const { sinks, files } = await ledgerOf(shipper);
    expect(sinks).toMatchObject([expected]);
    expect(files).toMatchObject([{ sinks: { forward: expected } }]);
    expect(await metric(shipper, 'read_bytes_total{sink="forward"}')).toBe(content.length);
    expect(await metric(shipper, 'delivered_bytes_total{sink="forward"}')).toBe(content.length);
    shipper.kill('SIGTERM');
    await shipper.exited;
  }
  await using shipper = await place.ship(toForward(receiver.address));
  await place.append('more\n');
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.delivered === content.length + 5);
  expect((await ledgerOf(shipper)).sinks).toMatchObject([{ read: content.length + 5, buffered: 0, skipped: 0 }]);
});

test('a hole that a writer without append mode leaves is said to be none of its lines', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen();
  await place.append(Buffer.concat([Buffer.alloc(5000), Buffer.from('one\n')]));
  await using shipper = await place.ship(toForward(receiver.address));
  await receiver.hasAll(['one']);
  await until(async () => (await ledgerOf(shipper)).sinks[0]?.buffered === 0);
  expect((await ledgerOf(shipper)).sinks).toMatchObject([{ read: 5004, delivered: 4, skipped: 5000 }]);
});
