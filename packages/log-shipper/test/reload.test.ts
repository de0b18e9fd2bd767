// Parameters that are changed while lines are on their way.

import { writeFile } from 'node:fs/promises';
import { every } from '@outrigger/core';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from './receiver.ts';
import { ledgerOf, sequence, toForward, workplace } from './shipper.ts';

const base = { logLevel: 'info', batchLimit: '4KiB' };

test('changed parameters lose and repeat no line; those that are wrong, or need a restart, leave the old ones in force', async () => {
  await using place = await workplace();
  await using directory = await scratch();
  await using receiver = await Receiver.listen();
  const file = directory.join('config.json');
  const configure = (changes: object) => writeFile(file, JSON.stringify({ ...base, ...changes }));
  await configure({});
  await using shipper = await place.ship([...toForward(receiver.address), '--config', file]);
  const reload = async (changes: object) => {
    await configure(changes);
    const answer = await shipper.post('/v1/parameters/reload');
    return { status: answer.status, said: JSON.stringify(await answer.json()) };
  };
  let written = 0;
  const ending = new AbortController();
  const writing = every(1, ending.signal, async () => {
    written++;
    await place.append(`line ${written}\n`);
  });
  await receiver.hasAll(['line 50']);

  const wrong = await reload({ logLevel: 'debug', timeZone: 'Nowhere/At-All' });
  expect(wrong).toMatchObject({ status: 422, said: expect.stringContaining('--time-zone') });
  const changed = async () =>
    (await (await shipper.get('/v1/parameters')).json()) as Record<string, { value: unknown }>;
  expect((await changed()).logLevel!.value).toBe('info');
  const unusable = await reload({ route: { nobody: 'level>=warn' } });
  expect(unusable).toMatchObject({ status: 422, said: expect.stringContaining('there is no sink nobody') });

  const later = await reload({ logLevel: 'debug', fields: { service: 'billing' } });
  expect(later.status).toBe(200);
  expect(later.said).toMatch(/needRestart.*fields/);
  expect((await changed()).logLevel!.value).toBe('debug');
  const then = written;
  await until(() => written > then + 50);
  ending.abort();
  await writing;

  await receiver.hasAll(sequence(1, written));
  await until(async () => (await ledgerOf(shipper)).files[0]?.lag === 0);
  expect(receiver.lines).toEqual(sequence(1, written));
  expect(receiver.received.some(({ record }) => 'service' in record)).toBe(false);
});
