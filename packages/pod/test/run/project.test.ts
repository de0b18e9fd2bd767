import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { project } from '../../src/run/volume/project.ts';

const files = (contents: Readonly<Record<string, string>>, mode = 0o644) =>
  new Map(Object.entries(contents).map(([path, text]) => [path, { content: Buffer.from(text), mode }]));

test('files are laid out as the kubelet does it', async () => {
  await using dir = await scratch();
  await project(dir.path, files({ 'app.conf': 'a=1', 'nested/x/y.txt': 'deep' }, 0o440));
  const data = await readlink(dir.join('..data'));
  expect(data).toMatch(/^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\w+$/);
  expect(await readlink(dir.join('app.conf'))).toBe('..data/app.conf');
  expect(await readlink(dir.join('nested'))).toBe('..data/nested');
  expect(await readFile(dir.join('nested/x/y.txt'), 'utf8')).toBe('deep');
  expect((await lstat(dir.join(data, 'app.conf'))).mode & 0o777).toBe(0o440);
  expect((await readdir(dir.path)).toSorted()).toEqual(['..data', data, 'app.conf', 'nested'].toSorted());
});

test('a change swaps ..data, adds and removes names, and clears the old directory', async () => {
  await using dir = await scratch();
  await project(dir.path, files({ a: '1', b: '2' }));
  const before = await readlink(dir.join('..data'));
  expect(await project(dir.path, files({ b: '3', c: '4' }))).toBe(true);
  const after = await readlink(dir.join('..data'));
  expect(after).not.toBe(before);
  expect((await readdir(dir.path)).toSorted()).toEqual(['..data', after, 'b', 'c'].toSorted());
  expect(await readFile(dir.join('b'), 'utf8')).toBe('3');
});

test('nothing moves while nothing changes', async () => {
  await using dir = await scratch();
  await project(dir.path, files({ a: '1' }));
  const before = await readlink(dir.join('..data'));
  expect(await project(dir.path, files({ a: '1' }))).toBe(false);
  expect(await readlink(dir.join('..data'))).toBe(before);
  expect(await project(dir.path, files({ a: '1' }, 0o600))).toBe(true);
});

test('a reader sees one generation, whole, however often it changes', async () => {
  await using dir = await scratch();
  await project(dir.path, files({ a: '0', b: '0' }));
  const over = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    while (!over.signal.aborted) {
      const data = dir.join(await readlink(dir.join('..data')));
      // A generation that is over may be gone by now, but what can be read of it is of one piece.
      const both = await Promise.all(
        ['a', 'b'].map((name) => readFile(join(data, name), 'utf8').catch(() => undefined)),
      );
      if (!both.includes(undefined)) seen.push(both.join(' '));
    }
  })();
  for (let n = 1; n <= 50; n++) await project(dir.path, files({ a: String(n), b: String(n) }));
  over.abort();
  await reading;
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.filter((pair) => pair.split(' ')[0] !== pair.split(' ')[1])).toEqual([]);
  expect(await readdir(dir.path)).toHaveLength(4);
});
