import { appendFile, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { cannotMount, type Scratch, scratch, startPeer, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { file } from '../../src/sink/file.ts';
import { recordsOf } from '../chunk.ts';
import { sequence, text } from '../shipper.ts';
import { batchOf, openSink } from './open-sink.ts';

const open = (directory: Scratch, given: Readonly<Record<string, unknown>> = {}) =>
  openSink(file, { path: directory.join('out.log'), ...given });

const content = (directory: Scratch, name = 'out.log') => readFile(directory.join(name), 'utf8');
const rotated = async ({ path }: Scratch) => (await readdir(path)).filter((name) => /^out\.log\.\d/.test(name)).sort();

test('lines are added to the file, which others cannot read', async () => {
  await using directory = await scratch();
  await using opened = await open(directory);
  for (const lines of [['one', 'two'], ['three']])
    expect(await opened.write(batchOf(opened.sink, lines))).toEqual({ became: 'delivered' });
  expect(await content(directory)).toBe('one\ntwo\nthree\n');
  expect((await stat(directory.join('out.log'))).mode & 0o777).toBe(0o640 & ~process.umask());
});

test('or JSON objects, and on the disk before they are acknowledged where that is asked for', async () => {
  await using directory = await scratch();
  await using opened = await open(directory, { encoding: 'json', sync: true });
  const records = recordsOf(['one']);
  records.common = { service: 'billing' };
  expect(await opened.write(batchOf(opened.sink, records))).toEqual({ became: 'delivered' });
  expect(JSON.parse(await content(directory))).toEqual({ log: 'one', service: 'billing' });
});

test('a line that a killed process has left without its end is not continued by the next', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('out.log'), 'one\ntor');
  await using opened = await open(directory);
  await opened.write(batchOf(opened.sink, ['two']));
  await opened.write(batchOf(opened.sink, ['three']));
  expect(await content(directory)).toBe('one\ntor\ntwo\nthree\n');
});

test('nothing is written through a symlink', async () => {
  await using directory = await scratch();
  await writeFile(directory.join('victim'), 'untouched\n');
  await symlink(directory.join('victim'), directory.join('out.log'));
  await using opened = await open(directory);
  const batch = batchOf(opened.sink, ['one']);
  expect(await opened.write(batch)).toMatchObject({ became: 'retry', reason: expect.stringContaining('ELOOP') });
  expect(await content(directory, 'victim')).toBe('untouched\n');
  await rm(directory.join('out.log'));
  expect(await opened.write(batch)).toEqual({ became: 'delivered' });
  // Nor later, when the file is exchanged for one.
  await rm(directory.join('out.log'));
  await symlink(directory.join('victim'), directory.join('out.log'));
  expect(await opened.write(batch)).toMatchObject({ became: 'retry' });
  expect(await content(directory, 'victim')).toBe('untouched\n');
});

test('a file that somebody else has moved away is begun anew', async () => {
  await using directory = await scratch();
  await using opened = await open(directory);
  await opened.write(batchOf(opened.sink, ['one']));
  await rename(directory.join('out.log'), directory.join('elsewhere'));
  await opened.write(batchOf(opened.sink, ['two']));
  await rm(directory.join('out.log'));
  await opened.write(batchOf(opened.sink, ['three']));
  expect([await content(directory), await content(directory, 'elsewhere')]).toEqual(['three\n', 'one\n']);
});

describe('rotation', () => {
  const all = async (directory: Scratch) => {
    const files = await Promise.all((await rotated(directory)).map((name) => readFile(directory.join(name))));
    const old = files.map((bytes) => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString());
    return old.join('') + (await content(directory));
  };

  test('by size: no file is larger, no line is cut, and all are compressed in the end', async () => {
    await using directory = await scratch();
    await using opened = await open(directory, { rotateSize: 1024, keep: 100 });
    const lines = sequence(1, 1000);
    for (let from = 0; from < lines.length; from += 10)
      expect(await opened.write(batchOf(opened.sink, lines.slice(from, from + 10)))).toEqual({ became: 'delivered' });
    const compressed = async () => {
      const names = await rotated(directory);
      return names.length > 5 && names.every((name) => name.endsWith('.gz'));
    };
    await until(compressed);
    expect(await all(directory)).toBe(text(lines));
    for (const name of await rotated(directory)) {
      const plain = gunzipSync(await readFile(directory.join(name)));
      expect(plain.length).toBeLessThanOrEqual(1024);
      expect(plain.at(-1)).toBe(0x0a);
      expect((await stat(directory.join(name))).mode & 0o777).toBe(0o640 & ~process.umask());
    }
  });

  test('by age', async () => {
    await using directory = await scratch();
    await using opened = await open(directory, { rotateAge: 30, compress: 'none', keep: 1000 });
    let count = 0;
    await until(async () => {
      await opened.write(batchOf(opened.sink, [`line ${++count}`]));
      return (await rotated(directory)).length >= 2;
    });
    expect(await all(directory)).toBe(text(sequence(1, count)));
  });

  for (const keep of [0, 2])
    test(`${keep} of the rotated files are kept, the newest`, async () => {
      await using directory = await scratch();
      await using opened = await open(directory, { rotateSize: 10, keep, compress: 'none' });
      const lines = sequence(1001, 1020);
      for (const line of lines) await opened.write(batchOf(opened.sink, [line]));
      await until(async () => (await rotated(directory)).length === keep);
      expect(await all(directory)).toBe(text(lines.slice(-keep - 1)));
    });

  test('what a killed process has left undone is done by the next, and what is not ours is left alone', async () => {
    await using directory = await scratch();
    const stamp = '20261121T080000.000Z';
    await writeFile(directory.join(`out.log.${stamp}`), 'old\n');
    await writeFile(directory.join(`out.log.${stamp}.gz.tmp`), 'half of it');
    await writeFile(directory.join('out.log.mine'), 'mine\n');
    await writeFile(directory.join(`out.logs.${stamp}`), 'mine\n');
    await using opened = await open(directory);
    await opened.write(batchOf(opened.sink, ['new']));
    await until(async () => (await rotated(directory)).join() === `out.log.${stamp}.gz`);
    expect(gunzipSync(await readFile(directory.join(`out.log.${stamp}.gz`))).toString()).toBe('old\n');
    expect((await readdir(directory.path)).sort()).toEqual([
      'out.log',
      `out.log.${stamp}.gz`,
      'out.log.mine',
      `out.logs.${stamp}`,
    ]);
  });

  test('a line without its end is not carried over into the next file', async () => {
    await using directory = await scratch();
    await using opened = await open(directory, { rotateSize: 1024, compress: 'none' });
    await opened.write(batchOf(opened.sink, ['one']));
    await appendFile(directory.join('out.log'), 'x'.repeat(2000));
    await opened.write(batchOf(opened.sink, ['two']));
    expect(await content(directory)).toBe('two\n');
  });
});

const reason = cannotMount();

test.skipIf(reason !== '')(
  `on a full disk a batch is written as a whole or not at all, and goes on when there is room${reason && ` (${reason})`}`,
  async () => {
    await using directory = await scratch();
    const fill = '{ cat /dev/zero > "$1/filler" 2>/dev/null || true; }';
    const script = `mount -t tmpfs -o size=64k tmpfs "$1" && ${fill} && truncate -s 45056 "$1/filler" && exec "$2" "$3" "$1/out.log"`;
    const program = fileURLToPath(import.meta.resolve('../fixtures/write-file.ts'));
    await using peer = await startPeer(
      'unshare',
      ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', directory.path, process.execPath, program],
      { input: true, ready: /ENOSPC/ },
    );
    const inside = `/proc/${peer.pid}/root${directory.path}`;
    expect(await readFile(`${inside}/out.log`, 'utf8')).toBe('first\n');
    await rm(`${inside}/filler`);
    peer.process.stdin!.write('there is room\n');
    await until(() => peer.stdout.includes('second: delivered'));
    expect(await readFile(`${inside}/out.log`, 'utf8')).toBe(`first\n${'x'.repeat(30_000)}\n`);
  },
);
