import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cannotMount, type Scratch, scratch, startPeer, until } from '@outrigger/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DeadLetter, DeadLetters, type DeadLettersOptions } from '../../src/dead/dead-letters.ts';
import type { LetterFilter } from '../../src/dead/letters.ts';
import { momentOf, type Redeliver, replay } from '../../src/dead/replay.ts';

const said = { time: '2026-11-21T08:00:00.000Z', level: 9 };

const refused = (log: string, { sink = 'http', reason = 'HTTP 400' } = {}) => ({
  ...{
    path: '/logs/app.log',
    offset: 12,
    length: log.length + 1,
    uid: `uid-${log.slice(0, 5)}`,
    ...said,
    fields: { log },
  },
  ...{ sink, reason },
});

const open = ({ path }: Scratch, options: Partial<DeadLettersOptions> = {}) =>
  new DeadLetters({ stateDirectory: path, limit: 1 << 20, whenFull: 'block', ...options });

const today = () => new Date().toISOString().slice(0, 10);
const names = async ({ path }: Scratch) => (await readdir(`${path}/dead`)).filter((name) => name !== 'lock').sort();

async function lines(directory: Scratch): Promise<DeadLetter[]> {
  const texts = (await names(directory)).filter((name) => name.endsWith('.ndjson'));
  const files = await Promise.all(texts.map((name) => readFile(directory.join('dead', name), 'utf8')));
  return files.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
}

async function collect(directory: Scratch, filter: LetterFilter = {}) {
  const logs: unknown[] = [];
  const replayed = await replay({ stateDirectory: directory.path, filter, batch: 2 }, async (letters) => {
    logs.push(...letters.map(({ record }) => record.log));
  });
  return { logs, ...replayed };
}

test('a letter says what was refused, by whom, why and where it came from, and only its owner can read it', async () => {
  await using directory = await scratch();
  await open(directory).put([refused('hello')]);
  expect(await names(directory)).toEqual([`${today()}.ndjson`]);
  expect(await lines(directory)).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      sink: 'http',
      reason: 'HTTP 400',
      source: { path: '/logs/app.log', offset: 12, length: 6, uid: 'uid-hello', ...said },
      record: { log: 'hello' },
    },
  ]);
  const modes = await Promise.all(
    [directory.join('dead'), directory.join('dead', `${today()}.ndjson`)].map((p) => stat(p)),
  );
  expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o600]);
});

test('what many sinks put at once is all there, whole', async () => {
  await using directory = await scratch();
  const dead = open(directory);
  const logs = Array.from({ length: 200 }, (_, index) => `line ${index}`);
  await Promise.all(logs.map((log) => dead.put([refused(log), refused(`${log} again`)])));
  expect((await lines(directory)).map(({ record }) => record.log)).toEqual(
    logs.flatMap((log) => [log, `${log} again`]),
  );
});

test('numbers that a double cannot hold keep their digits, there and back', async () => {
  await using directory = await scratch();
  await open(directory).put([{ ...refused('x'), fields: { id: JSON.rawJSON('12345678901234567890') } }]);
  let again = '';
  await replay({ stateDirectory: directory.path, filter: {} }, async ([letter]) => {
    again = JSON.stringify(letter!.record);
  });
  expect(again).toBe('{"id":12345678901234567890}');
});

test('a line that a killed process has left unfinished spoils no other', async () => {
  await using directory = await scratch();
  const dead = open(directory);
  await dead.put([refused('one')]);
  await appendFile(directory.join('dead', `${today()}.ndjson`), '{"time":"2026-');
  await dead.put([refused('two')]);
  expect(await collect(directory)).toEqual({ logs: ['one', 'two'], delivered: 2, left: 0, unreadable: 1 });
});

test('neither the directory nor a file is followed where it is a symlink', async () => {
  await using directory = await scratch();
  await mkdir(directory.join('elsewhere'));
  await symlink(directory.join('elsewhere'), directory.join('dead'));
  await expect(open(directory).put([refused('one')])).rejects.toThrow('not a directory');
  await rm(directory.join('dead'));
  await mkdir(directory.join('dead'));
  await writeFile(directory.join('victim'), 'untouched');
  await symlink(directory.join('victim'), directory.join('dead', `${today()}.ndjson`));
  await expect(open(directory).put([refused('one')])).rejects.toThrow('ELOOP');
  expect(await readFile(directory.join('victim'), 'utf8')).toBe('untouched');
});

describe('at the limit', () => {
  const long = 'x'.repeat(900);

  test('letters wait until a replay has made room', async () => {
    await using directory = await scratch();
    const dead = open(directory, { limit: 16 * 1024 });
    let put = 0;
    const fill = async () => {
      for (;;) await dead.put([refused(`${long} ${put + 1}`)]).then(() => put++);
    };
    await expect(fill()).rejects.toThrow(/^dead letters take \S+ of 16KiB: replay or remove some$/);
    expect(put).toBeGreaterThan(10);
    expect((await names(directory)).length).toBeGreaterThan(3);
    expect(await collect(directory)).toMatchObject({ delivered: put, left: 0 });
    await dead.put([refused('room')]);
    expect(await collect(directory)).toMatchObject({ logs: ['room'] });
  });

  test('letters that are larger than the limit do not stand in the way for ever', async () => {
    await using directory = await scratch();
    const dead = open(directory, { limit: 1024 });
    await dead.put([refused(long), refused(long)]);
    await expect(dead.put([refused(long)])).rejects.toThrow('replay or remove');
    await collect(directory);
    await dead.put([refused('room')]);
    expect((await lines(directory)).map(({ record }) => record.log)).toEqual(['room']);
  });

  test('or the oldest go, and it is said how many bytes', async () => {
    await using directory = await scratch();
    let dropped = 0;
    const dead = open(directory, {
      limit: 16 * 1024,
      whenFull: 'drop-oldest',
      dropped: ({ bytes }) => {
        dropped += bytes;
      },
    });
    const all = Array.from({ length: 60 }, (_, index) => `${long} ${index}`);
    let size = 0;
    for (const log of all) {
      await dead.put([refused(log)]);
      size = (await lines(directory)).length;
    }
    const kept = (await lines(directory)).map(({ record }) => record.log);
    expect(kept).toEqual(all.slice(-size));
    expect(size).toBeGreaterThan(10);
    expect(dropped).toBeGreaterThan(30 * 900);
  });
});

const reason = cannotMount();

test.skipIf(reason !== '')(
  `on a full disk nothing is put by halves, and all of it once there is room${reason && ` (${reason})`}`,
  async () => {
    await using directory = await scratch();
    const script =
      'mount -t tmpfs -o size=64k tmpfs "$1" && { cat /dev/zero > "$1/filler" 2>/dev/null || rm "$1/dead" 2>/dev/null; exec "$2" "$3" "$1"; }';
    const program = fileURLToPath(import.meta.resolve('../fixtures/bury.ts'));
    await using peer = await startPeer(
      'unshare',
      ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', directory.path, process.execPath, program],
      { input: true, ready: /ENOSPC|put/ },
    );
    expect(peer.stdout).toContain('ENOSPC');
    const inside = `/proc/${peer.pid}/root${directory.path}`;
    await rm(`${inside}/filler`);
    peer.process.stdin!.write('there is room\n');
    await until(() => peer.stdout.includes('put'));
  },
);

describe('replay', () => {
  test('only what matches is delivered, once; the rest stays, and files with nothing left go', async () => {
    await using directory = await scratch();
    const dead = open(directory, { limit: 16 * 1024 });
    const padding = 'x'.repeat(2000);
    for (const [index, sink] of ['a', 'b', 'a', 'b', 'a', 'b'].entries())
      await dead.put([refused(`${sink}${index}`, { sink, reason: `${padding} HTTP ${400 + index}` })]);
    const before = (await names(directory)).length;
    expect(before).toBeGreaterThan(2);
    expect(await collect(directory, { sink: 'a' })).toEqual({
      logs: ['a0', 'a2', 'a4'],
      delivered: 3,
      left: 3,
      unreadable: 0,
    });
    expect(await collect(directory, { reason: 'HTTP 403' })).toMatchObject({ logs: ['b3'], left: 2 });
    expect(await collect(directory, { until: momentOf('1h') })).toMatchObject({ logs: [], left: 2 });
    expect(await collect(directory, { since: momentOf('1h') })).toMatchObject({ logs: ['b1', 'b5'], left: 0 });
    expect(await collect(directory)).toEqual({ logs: [], delivered: 0, left: 0, unreadable: 0 });
    expect((await names(directory)).filter((name) => name.endsWith('.ndjson')).length).toBe(1);
  });

  test('killed at any moment and started again it loses nothing and repeats at most one batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        async (groups, kills, batch) => {
          await using directory = await scratch();
          const dead = open(directory, { limit: 4 * 1024 });
          let count = 0;
          for (const group of groups)
            await dead
              .put(Array.from({ length: group }, () => refused(`line ${++count}`)))
              // At the limit.
              .catch((error: Error) => {
                expect(error.message).toContain('replay');
                count -= group;
              });
          const delivered: unknown[] = [];
          for (const [after, delivers] of [...kills, [Number.POSITIVE_INFINITY, true] as const]) {
            let left = after;
            const redeliver: Redeliver = async (letters) => {
              const last = left-- <= 0;
              if (!last || delivers) delivered.push(...letters.map(({ record }) => record.log));
              // After the delivery, and before anybody could note it.
              if (last) throw new Error('killed');
            };
            await replay({ stateDirectory: directory.path, filter: {}, batch }, redeliver).catch((error: Error) =>
              expect(error.message).toBe('killed'),
            );
          }
          expect(new Set(delivered)).toEqual(new Set(Array.from({ length: count }, (_, index) => `line ${index + 1}`)));
          expect(delivered.length - count).toBeLessThanOrEqual(kills.length * batch);
        },
      ),
      { numRuns: 20, verbose: true },
    );
  });

  test('a mark that was cut off counts for nothing', async () => {
    await using directory = await scratch();
    await open(directory).put([refused('one'), refused('two')]);
    const [file] = await names(directory);
    const offset = (await readFile(directory.join('dead', file!), 'utf8')).indexOf('\n') + 1;
    await writeFile(directory.join('dead', `${file}.done`), String(offset));
    expect(await collect(directory)).toMatchObject({ logs: ['one', 'two'] });
    expect(await collect(directory)).toMatchObject({ logs: [] });
  });

  test('two at once do not deliver the same', async () => {
    await using directory = await scratch();
    await open(directory).put([refused('one')]);
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const first = replay({ stateDirectory: directory.path, filter: {} }, async () => {
      begun.resolve();
      await going.promise;
    });
    await begun.promise;
    await expect(collect(directory)).rejects.toThrow('another');
    going.resolve();
    expect(await first).toMatchObject({ delivered: 1 });
  });

  test('a moment is a date or so long ago', () => {
    expect(momentOf('2026-11-21T08:00:00Z')).toEqual(new Date('2026-11-21T08:00:00Z'));
    expect(momentOf('2026-11-21')).toEqual(new Date('2026-11-21T00:00:00Z'));
    expect(momentOf('2h', 7_200_000)).toEqual(new Date(0));
    expect(momentOf(undefined)).toBeUndefined();
    expect(() => momentOf('yesterday')).toThrow('is expected');
  });
});
