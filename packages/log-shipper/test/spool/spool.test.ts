import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { appendFile, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import type { Chunk } from '../../src/source/source.ts';
import type { Positions } from '../../src/spool/segment.ts';
import type { SpoolEvent } from '../../src/spool/spool.ts';
import { acknowledge, drain, expectBalance, idsIn, line, lines, openQueue, segmentsOf } from './queue.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** What the next start finds. */
async function reopened(directory: string, options: Parameters<typeof openQueue>[1] = {}) {
  const events: SpoolEvent[] = [];
  const spool = await openQueue(directory, { ...options, tell: (event) => events.push(event) });
  const reader = spool.reader('a');
  const ids = await drain(reader);
  await reader[Symbol.asyncDispose]();
  expectBalance(spool, 'a');
  return { spool, events, ids };
}

test('one line is read as soon as it was put, not when another comes', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path);
  const chunks = spool.chunks('a');
  const first = chunks.next();
  expect(await spool.put(lines(1, 1))).toBe('safe');
  const chunk = (await first).value as Chunk;
  expect(idsIn(chunk.bytes)).toEqual([1]);
  expect(chunk).toMatchObject({ settled: true, offset: 0, unfinished: 'held' });
  await chunks.return(undefined);
});

test('each sink reads for itself, and a segment goes when both have passed it', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { sinks: ['a', 'b'], segmentSize: 1000 });
  for (const id of range(1, 100)) await spool.put(lines(id, id));
  const count = segmentsOf(directory.path).length;
  expect(count).toBeGreaterThan(4);
  await using a = spool.reader('a');
  await using b = spool.reader('b');
  expect(await drain(a)).toEqual(range(1, 100));
  expect(segmentsOf(directory.path)).toHaveLength(count);
  expect(await drain(b)).toEqual(range(1, 100));
  await until(() => segmentsOf(directory.path).length === 1);
  expect(spool.bytes).toBe(statSync(segmentsOf(directory.path)[0]!).size);
});

test('what was taken and not acknowledged comes again, with the same origin and offset', async () => {
  await using directory = await scratch();
  const places: unknown[] = [];
  let positions = {};
  {
    await using spool = await openQueue(directory.path);
    await spool.put(lines(1, 10));
    await using reader = spool.reader('a');
    const chunk = (await reader.next())!;
    places.push([chunk.origin, chunk.offset + lines(1, 4).length]);
    chunk.take(chunk.bytes.length);
    acknowledge(chunk, lines(1, 4).length);
    positions = JSON.parse(JSON.stringify(spool.positions()));
  }
  await using spool = await openQueue(directory.path, { positions });
  await using reader = spool.reader('a');
  const chunk = (await reader.next())!;
  expect(idsIn(chunk.bytes)).toEqual(range(5, 10));
  expect([chunk.origin, chunk.offset]).toEqual(places[0]);
});

test('what is not taken of a chunk comes with the next', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path);
  await spool.put(lines(1, 10));
  await using reader = spool.reader('a');
  const chunk = (await reader.next())!;
  chunk.take(lines(1, 3).length);
  expectBalance(spool, 'a');
  acknowledge(chunk, lines(1, 3).length);
  expect(await drain(reader)).toEqual(range(4, 10));
  expect(spool.account('a')).toMatchObject({ unread: 0, read: lines(1, 10).length, acknowledged: lines(1, 10).length });
});

test('a put larger than a frame is one put, and a single line may be larger still', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path);
  const large = Buffer.from(
    range(1, 30)
      .map((id) => line(id, { padding: id === 15 ? 3_000_000 : 100_000 }))
      .join(''),
  );
  expect(await spool.put(large)).toBe('safe');
  await using reader = spool.reader('a');
  expect(await drain(reader)).toEqual(range(1, 30));
});

test('what is put at the same time goes in few writes and in order', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { sync: 'always' });
  expect(new Set(await Promise.all(range(1, 1000).map((id) => spool.put(lines(id, id)))))).toEqual(new Set(['safe']));
  await using reader = spool.reader('a');
  expect(await drain(reader)).toEqual(range(1, 1000));
});

test('more than may wait in memory is not taken', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path);
  const large = Buffer.from(line(1, { padding: 1_000_000 }));
  const puts = await Promise.all(range(1, 20).map(() => spool.put(large)));
  expect(puts.filter((put) => put === 'full')).toHaveLength(12);
});

test('at the cap it takes nothing until there is room, and then it does', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { limit: 40_000, segmentSize: 10_000 });
  let id = 0;
  while ((await spool.put(lines(id + 1, id + 10))) === 'safe') id += 10;
  expect(spool.bytes).toBeLessThanOrEqual(40_000 + 100);
  expect(spool.bytes).toBeGreaterThan(38_000);
  await using reader = spool.reader('a');
  const room = spool.room();
  expect(await drain(reader)).toEqual(range(1, id));
  await room;
  expect(await spool.put(lines(id + 1, id + 10))).toBe('safe');
  expect(await drain(reader)).toEqual(range(id + 1, id + 10));
});

test('drop-oldest: the oldest go, are counted for who had not read them, and a record says so', async () => {
  await using directory = await scratch();
  const events: SpoolEvent[] = [];
  const options = { sinks: ['a', 'b'], limit: 40_000, segmentSize: 10_000, policy: 'drop-oldest' as const };
  await using spool = await openQueue(directory.path, { ...options, tell: (event) => events.push(event) });
  await using a = spool.reader('a');
  await using b = spool.reader('b');
  const had: number[] = [];
  for (let id = 1; id <= 5000; id += 10) {
    expect(await spool.put(lines(id, id + 9))).toBe('safe');
    had.push(...(await drain(a)));
  }
  expect(had.filter((id) => id > 0)).toEqual(range(1, 5000));
  const left = await drain(b);
  const dropped = events.filter((event) => event.what === 'dropped');
  // Some of the records that were dropped were about others.
  const records = dropped.reduce((sum, event) => sum + event.records, 0);
  const bytes = dropped.reduce((sum, event) => sum + event.bytes, 0);
  expect(left.length + records).toBe(5000 + dropped.length);
  expect(spool.account('b')!.dropped).toEqual({ oldest: bytes });
  expect(spool.account('a')!.dropped).toEqual({});
  for (const sink of ['a', 'b']) expectBalance(spool, sink);
  expect(left.at(-1)).toBe(5000);
  expect(left).toContain(0);
});

test('drop-by-level: debug goes first, then the oldest; what stays keeps its origin and offset', async () => {
  await using directory = await scratch();
  const events: SpoolEvent[] = [];
  const options = { limit: 40_000, segmentSize: 10_000, policy: 'drop-by-level' as const, level: 13 };
  await using spool = await openQueue(directory.path, { ...options, tell: (event) => events.push(event) });
  const text = (id: number) => line(id, { level: id % 10 === 0 ? 17 : 5 });
  await using reader = spool.reader('a');
  for (let id = 1; id <= 2000; id += 10)
    await spool.put(
      Buffer.from(
        range(id, id + 9)
          .map(text)
          .join(''),
      ),
    );
  const chunk = (await reader.next())!;
  expect(chunk.bytes.toString().split('\n')[0]).toBe(text(10).trimEnd());
  expect(chunk.offset).toBe(range(1, 9).map(text).join('').length);
  chunk.take(chunk.bytes.length);
  acknowledge(chunk);
  const ids = [...idsIn(chunk.bytes), ...(await drain(reader))];
  expect(
    range(1, 200)
      .map((id) => id * 10)
      .filter((id) => !ids.includes(id)),
  ).toEqual([]);
  expect(ids).toContain(0);
  const bytes = events.reduce((sum, event) => sum + (event.what === 'dropped' ? event.bytes : 0), 0);
  expect(events.every((event) => event.what === 'dropped' && event.reason === 'level')).toBe(true);
  expect(spool.account('a')).toMatchObject({ unread: 0, skipped: 0, dropped: { level: bytes } });
  expectBalance(spool, 'a');
});

test('a write that was torn is kept aside, and nothing of it is read', async () => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path);
    await spool.put(lines(1, 10));
    await spool.put(lines(11, 20));
  }
  const [path] = segmentsOf(directory.path);
  // The end of the segment, and a part of the last frame.
  await truncate(path!, statSync(path!).size - 48 - 100);
  const { spool, events, ids } = await reopened(directory.path);
  await using _ = spool;
  expect(ids).toEqual(range(1, 10));
  expect(events).toEqual([expect.objectContaining({ what: 'damaged', reason: 'torn', path })]);
  expect(readdirSync(directory.join('quarantine'))).toHaveLength(1);
  expect(await spool.put(lines(21, 30))).toBe('safe');
});

test('a flipped bit costs its frame; the rest is read, and bytes and records are counted', async () => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path);
    for (const id of range(1, 20)) await spool.put(lines(id * 10, id * 10 + 9));
  }
  const [path] = segmentsOf(directory.path);
  const at = readFileSync(path!).indexOf('line 55');
  const file = openSync(path!, 'r+');
  writeSync(file, 'X', at);
  closeSync(file);
  const { spool, events, ids } = await reopened(directory.path);
  await using _ = spool;
  expect(ids).toEqual([...range(10, 49), ...range(60, 209)]);
  expect(spool.account('a')).toMatchObject({ skipped: lines(50, 59).length, skippedRecords: 10 });
  expect(events).toEqual([expect.objectContaining({ what: 'damaged', reason: 'damaged', aside: expect.any(String) })]);
  const [event] = events as [Extract<SpoolEvent, { what: 'damaged' }>];
  expect(readFileSync(event.aside!).toString('latin1')).toContain('Xine 55');
});

test('empty, deleted, garbage, a directory, a link, half of a copy: it starts, reads the rest and takes more', async () => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path, { segmentSize: 1000 });
    for (const id of range(1, 100)) await spool.put(lines(id, id));
  }
  const paths = segmentsOf(directory.path);
  expect(paths.length).toBeGreaterThan(8);
  const without = new Set<number>();
  for (const index of [1, 3, 5]) for (const id of idsOf(paths[index]!)) without.add(id);
  await truncate(paths[1]!, 0);
  await rm(paths[3]!);
  await writeFile(paths[5]!, Buffer.alloc(5000, 0xff));
  await mkdir(directory.join('9999999999999990.log'));
  await symlink('/etc/passwd', directory.join('9999999999999991.log'));
  await writeFile(directory.join('0000000000000001.log.tmp'), 'half');
  await writeFile(directory.join('README'), 'not ours');
  const { spool, events, ids } = await reopened(directory.path);
  await using _ = spool;
  expect(ids).toEqual(range(1, 100).filter((id) => !without.has(id)));
  expect(events.map((event) => (event.what === 'damaged' ? event.reason : event.what)).sort()).toEqual([
    'damaged',
    'empty',
    'missing',
    'unusable',
    'unusable',
  ]);
  expect(existsSync(directory.join('0000000000000001.log.tmp'))).toBe(false);
  expect(existsSync(directory.join('README'))).toBe(true);
  expect(await spool.put(lines(101, 101))).toBe('safe');
});

const idsOf = (path: string) => [...readFileSync(path, 'latin1').matchAll(/line (\d+)/g)].map(([, id]) => Number(id));

test('quarantine is bounded', async () => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path);
    for (const id of range(1, 200)) await spool.put(lines(id, id));
  }
  const [path] = segmentsOf(directory.path);
  const bytes = readFileSync(path!);
  for (const id of range(1, 100)) bytes[bytes.indexOf(`line ${id * 2}"`)] = 0;
  writeFileSync(path!, bytes);
  const { spool, events, ids } = await reopened(directory.path);
  await using _ = spool;
  expect(ids).toEqual(range(1, 100).map((id) => id * 2 - 1));
  expect(events).toHaveLength(100);
  expect(readdirSync(directory.join('quarantine'))).toHaveLength(64);
});

test('garbage behind the frames, whatever it says of its length, costs neither them nor memory', async () => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path);
    await spool.put(lines(1, 10));
  }
  const [path] = segmentsOf(directory.path);
  const head = readFileSync(path!).subarray(0, 48);
  for (const length of [0xffffffff, 0x01ffffff, 100]) {
    const fake = Buffer.from(head);
    fake.writeUInt32LE(length, 8);
    await appendFile(path!, fake);
  }
  const { spool, ids } = await reopened(directory.path);
  await using _ = spool;
  expect(ids).toEqual(range(1, 10));
});

test('a segment deleted while it is open is told, and what comes after it is read', async () => {
  await using directory = await scratch();
  const events: SpoolEvent[] = [];
  await using spool = await openQueue(directory.path, { segmentSize: 1000, tell: (event) => events.push(event) });
  for (const id of range(1, 100)) await spool.put(lines(id, id));
  const gone = segmentsOf(directory.path)[2]!;
  const without = idsOf(gone);
  rmSync(gone);
  await using reader = spool.reader('a');
  expect(await drain(reader)).toEqual(range(1, 100).filter((id) => !without.includes(id)));
  expect(events).toEqual([expect.objectContaining({ what: 'damaged', reason: 'missing', path: gone })]);
  expectBalance(spool, 'a');
});

const strange: Positions[] = [
  { b: { segment: 1, origin: 'x', offset: 5 } },
  { a: { segment: 1, origin: 'AAAAAAAAAAA', offset: 100 } },
  { a: { segment: 0, origin: '', offset: 100 } },
];

test.each(strange)('positions %j of another queue or another sink: nothing is skipped', async (positions) => {
  await using directory = await scratch();
  {
    await using spool = await openQueue(directory.path);
    await spool.put(lines(1, 10));
  }
  const { spool, ids } = await reopened(directory.path, { positions });
  await using _ = spool;
  expect(ids).toEqual(range(1, 10));
});

test.skipIf(process.getuid?.() === 0)('a directory that cannot be written takes nothing and says why', async () => {
  await using directory = await scratch();
  chmodSync(directory.path, 0o500);
  const events: SpoolEvent[] = [];
  await using spool = await openQueue(directory.path, { tell: (event) => events.push(event) });
  expect(await spool.put(lines(1, 1))).toBe('full');
  expect(spool.trouble).toContain('EACCES');
  chmodSync(directory.path, 0o700);
  await until(async () => (await spool.put(lines(1, 1))) === 'safe');
  expect(events.map((event) => event.what)).toEqual(['trouble', 'trouble']);
});

test('many who wait for room do not wake one another: everything else goes on', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { limit: 40_000, segmentSize: 10_000 });
  let id = 0;
  while ((await spool.put(lines(id + 1, id + 10))) === 'safe') id += 10;
  const ending = new AbortController();
  let tries = 0;
  const waiting = range(1, 50).map(async () => {
    for (; !ending.signal.aborted; tries++) {
      expect(await spool.put(lines(1, 10))).toBe('full');
      await spool.room(ending.signal);
    }
  });
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate);
  expect(tries).toBeLessThan(1000);
  ending.abort();
  await Promise.all(waiting);
});

test('more than the limit at once is taken when nothing else is left, and nothing after it until it is done', async () => {
  await using directory = await scratch();
  await using spool = await openQueue(directory.path, { limit: 40_000, segmentSize: 10_000 });
  await using reader = spool.reader('a');
  expect(await spool.put(lines(1, 10))).toBe('safe');
  expect(await spool.put(lines(11, 3000))).toBe('full');
  expect(await drain(reader)).toEqual(range(1, 10));
  expect(await spool.put(lines(11, 3000))).toBe('safe');
  expect(await spool.put(lines(3001, 3010))).toBe('full');
  expect(await drain(reader)).toEqual(range(11, 3000));
});
