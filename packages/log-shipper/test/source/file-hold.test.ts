// A rotator that deletes what nobody has acknowledged: with --source-file-hold it cannot.

import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { Receiver } from '../receiver.ts';
import { ledgerOf, metric, sequence, text, toForward, workplace } from '../shipper.ts';

test('what was deleted while the receiver was down is shipped after a restart, and not kept any longer', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  const args = [...toForward(receiver.address), '--source-file-hold', place.log('.held')];
  await place.append(text(sequence(1, 100)));
  {
    await using shipper = await place.ship(args);
    await rename(place.log(), place.log('app.log.1'));
    await place.append(text(sequence(101, 200)));
    await until(async () => (await ledgerOf(shipper)).files.length === 2);
    await rm(place.log('app.log.1'));
    expect((await readdir(place.log('.held'))).length).toBe(2);
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  await rm(place.log());
  receiver.answer = 'acknowledge';
  await using shipper = await place.ship(args);
  await receiver.hasAll(sequence(1, 200));
  expect(receiver.lines).toEqual(sequence(1, 200));
  await until(async () => (await ledgerOf(shipper)).files.length === 0);
  expect(await readdir(place.log('.held'))).toEqual([]);
  expect(await metric(shipper, 'lost_bytes_total{reason="removed"}')).toBe(0);
});

test('behind a link it is the file that is kept, not the link', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  const args = [...toForward(receiver.address), '--source-file-hold', place.log('.held')];
  await place.append(text(sequence(1, 100)), 'today.log');
  await symlink('today.log', place.log());
  {
    await using shipper = await place.ship(args);
    await until(async () => (await ledgerOf(shipper)).files.length === 1);
    shipper.kill('SIGKILL');
    await shipper.exited;
  }
  await rm(place.log('today.log'));
  receiver.answer = 'acknowledge';
  await using shipper = await place.ship(args);
  await receiver.hasAll(sequence(1, 100));
  await until(async () => (await ledgerOf(shipper)).files.length === 0);
  expect(await readdir(place.log('.held'))).toEqual([]);
});

test('a file that is acknowledged is not kept once it is removed, and none is when the shipper has ended', async () => {
  await using place = await workplace();
  await place.append('one\n', 'a.log');
  await place.append('two\n', 'b.log');
  const args = ['--source-file-paths', place.log('**/*.log'), '--source-file-hold', place.log('held')];
  await using shipper = await place.ship(args);
  await until(() => shipper.stdout.length === 8);
  expect((await readdir(place.log('held'))).length).toBe(2);
  await rm(place.log('a.log'));
  await until(async () => (await readdir(place.log('held'))).length === 1);
  // Its second names are no source, though a wildcard matches them.
  expect((await ledgerOf(shipper)).files.length).toBe(1);
  shipper.kill('SIGTERM');
  expect(await shipper.exited).toEqual({ code: 0, signal: null });
  expect(await readdir(place.log('held'))).toEqual([]);
  expect(shipper.stdout.length).toBe(8);
});

test('more than the limit is not kept, and that is said', async () => {
  await using place = await workplace();
  await using receiver = await Receiver.listen({ answer: 'hang up' });
  await place.append(text(sequence(1, 1000)));
  await using shipper = await place.ship([
    ...toForward(receiver.address),
    '--source-file-hold',
    place.log('.held'),
    '--source-file-hold-limit',
    '1KiB',
  ]);
  await until(async () => (await ledgerOf(shipper)).files.length === 1);
  await rm(place.log());
  await until(() => shipper.logs().some(({ code }) => code === 'LOG_SHIPPER_HOLD_FULL'));
  expect(await readdir(place.log('.held'))).toEqual([]);
  // The open file is still there.
  receiver.answer = 'acknowledge';
  await receiver.hasAll(sequence(1, 1000), 40_000);
});

test('a directory on another file system is said once, and files are shipped all the same', async () => {
  await using place = await workplace();
  await mkdir(place.log('many'));
  for (let file = 0; file < 5; file++) await place.append(`line ${file}\n`, `many/${file}.log`);
  await using shipper = await place.ship([
    '--source-file-paths',
    place.log('many/*.log'),
    '--source-file-hold',
    `/dev/shm/outrigger-test-${process.pid}`,
  ]);
  await until(() => shipper.stdout.length === 5 * 'line 0\n'.length);
  const said = shipper.logs().filter(({ code }) => code === 'LOG_SHIPPER_NOT_HELD');
  expect(said.length).toBe(1);
  expect(String(said[0]?.reason)).toContain('EXDEV');
  await rm(`/dev/shm/outrigger-test-${process.pid}`, { recursive: true });
});
