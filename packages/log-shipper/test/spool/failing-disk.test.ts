// Disks that fail in other ways than being full.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import type { SpoolEvent } from '../../src/spool/spool.ts';
import { drain, expectBalance, lines, openQueue, segmentsOf } from './queue.ts';

test('a segment that cannot be read again and again does not stop what is behind it', async () => {
  await using directory = await scratch();
  const events: SpoolEvent[] = [];
  await using spool = await openQueue(directory.path, { segmentSize: 500, tell: (event) => events.push(event) });
  for (let id = 1; id <= 30; id++) await spool.put(lines(id, id));
  const [first] = segmentsOf(directory.path);
  rmSync(first!);
  // It can be opened, and every read of it fails.
  mkdirSync(first!);
  await using reader = spool.reader('a');
  const ids = await drain(reader);
  expect(ids.at(-1)).toBe(30);
  expect(ids.length).toBeGreaterThan(20);
  expect(events).toContainEqual(expect.objectContaining({ what: 'damaged', path: first, reason: 'damaged' }));
  expectBalance(spool, 'a');
});

test('a segment deleted under the writer: what comes next goes to another', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { sync: 'interval', syncInterval: 10 });
  await spool.put(lines(1, 1));
  const [first] = segmentsOf(directory.path);
  rmSync(first!);
  let id = 1;
  await until(async () => {
    await spool.put(lines(++id, id));
    return segmentsOf(directory.path).length > 0;
  });
  expect(segmentsOf(directory.path)).not.toContain(first);
  // What was in it is gone for a reader that had not opened it, and nothing else is.
  await using reader = spool.reader('a');
  expect((await drain(reader)).at(-1)).toBe(id);
  expectBalance(spool, 'a');
});

test('the whole directory deleted: it is made again', async () => {
  await using directory = await scratch();
  const path = directory.join('spool');
  await using spool = await openQueue(path, { sync: 'interval', syncInterval: 10 });
  await spool.put(lines(1, 1));
  rmSync(path, { recursive: true });
  let id = 1;
  await until(async () => {
    await spool.put(lines(++id, id));
    return existsSync(path) && segmentsOf(path).length > 0;
  });
});
