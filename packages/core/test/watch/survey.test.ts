import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeMaze, makeVolume, scratch } from '../../src/testing/index.ts';
import { survey } from '../../src/watch/survey.ts';

const namesIn = async (path: string) => (await survey([path])).roots[0]!.files.map(({ name }) => name);

test('a ConfigMap volume holds its keys, not what the kubelet keeps behind them', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '1', 'sub/more.conf': '2' });
  expect(await namesIn(volume.path)).toEqual(['app.conf', 'sub/more.conf']);
});

test('every directory that a link leads through is listened to', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '1' });
  await symlink('config/app.conf', dir.join('link'));
  const { places } = await survey([dir.join('link')]);
  expect([...places.get(dir.path)!.names].sort()).toEqual(['config', 'link']);
  expect([...places.get(volume.path)!.names].sort()).toEqual(expect.arrayContaining(['..data', 'app.conf']));
});

test('a dangling link, a loop and a link to a directory above hold nothing', async () => {
  await using dir = await scratch();
  await writeFile(dir.join('file'), '');
  await symlink('nowhere', dir.join('dangling'));
  await symlink('loop', dir.join('loop'));
  await mkdir(dir.join('sub'));
  await symlink('..', dir.join('sub', 'up'));
  expect(await namesIn(dir.path)).toEqual(['file']);
});

test('a pipe is skipped and said', async () => {
  await using dir = await scratch();
  execFileSync('mkfifo', [dir.join('pipe')]);
  const [root] = (await survey([dir.path])).roots;
  expect(root).toMatchObject({ files: [], skipped: [dir.join('pipe')] });
});

test('what editors leave beside a file while it is open is no configuration', async () => {
  await using dir = await scratch();
  for (const name of ['app.conf', '.app.conf.swp', 'app.conf~', '4913', '.#app.conf', '#app.conf#'])
    await writeFile(dir.join(name), '');
  expect(await namesIn(dir.path)).toEqual(['app.conf']);
});

test('a missing path is listened for at the directory above', async () => {
  await using dir = await scratch();
  const { roots, places } = await survey([dir.join('a', 'b')]);
  expect(roots[0]).toMatchObject({ missing: true });
  expect([...places.get(dir.path)!.names]).toEqual(['a']);
});

test('a directory that was removed and made again is another one', async () => {
  await using dir = await scratch();
  const path = dir.join('config');
  const identity = async () => {
    await mkdir(path);
    const found = (await survey([path])).places.get(path)!.identity;
    await rm(path, { recursive: true });
    return found;
  };
  expect(await identity()).not.toBe(await identity());
});

test('more than 20000 entries are refused', async () => {
  await using dir = await scratch();
  await makeMaze(dir.path);
  expect((await survey([dir.path])).roots[0]).toMatchObject({ fault: { code: 'WATCH_TOO_MANY_FILES' } });
});
