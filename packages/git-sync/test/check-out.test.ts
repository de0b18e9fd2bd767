import { chmod, lstat, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { git, makeRemote } from './support/remote.ts';
import { content, place, startSync, untilPublished } from './support/start-sync.ts';

test('directories, programs and links are checked out as they were committed', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await mkdir(join(remote.copy, 'deep', 'er'), { recursive: true });
  await writeFile(join(remote.copy, 'deep', 'er', 'file'), 'deep');
  await writeFile(join(remote.copy, 'program'), '#!/bin/sh\n');
  await chmod(join(remote.copy, 'program'), 0o755);
  await symlink('deep/er/file', join(remote.copy, 'short'));
  await remote.push({ 'a name with spaces and "quotes"': 'odd', 'naïve.txt': 'name' });
  await using _sidecar = await startSync(remote.url, at, { ready: true });
  expect(await content(at, 'deep/er/file')).toBe('deep');
  expect((await lstat(join(at.link, 'program'))).mode & 0o111).toBe(0o111);
  expect(await readlink(join(at.link, 'short'))).toBe('deep/er/file');
  expect(await content(at, 'a name with spaces and "quotes"')).toBe('odd');
  expect(await content(at, 'naïve.txt')).toBe('name');
});

test('files whose line endings git would have written otherwise are published all the same', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ 'windows.txt': 'a\r\nb\r\n' });
  // From here on a.txt counts as modified in every fresh checkout.
  const commit = await remote.push({ '.gitattributes': '* text=auto\n' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, commit, sidecar);
  await untilPublished(at, await remote.push({ other: 'x' }), sidecar);
  expect(sidecar.logs().filter(({ level }) => level !== 'info')).toEqual([]);
});

test('a submodule stays an empty directory, and its URL is not followed', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const inner = await makeRemote(directory.path, 'inner.git');
  await inner.push({ file: 'inner' });
  const remote = await makeRemote(directory.path);
  await git('-C', remote.copy, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.path, 'module');
  const commit = await remote.push({ file: 'outer' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, commit, sidecar);
  await expect(readFile(join(at.link, 'module', 'file'))).rejects.toThrow('ENOENT');
});

test('an empty commit is published as an empty tree', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({});
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, commit, sidecar);
});

test.each([
  [['--depth', '1'], '1'],
  [['--depth', '2'], '2'],
  [['--depth', '0'], '3'],
])('%j fetches %s commits of three, also after another depth', async (args, expected) => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const count = () => git('--git-dir', join(at.root, '.git'), 'rev-list', '--count', 'refs/outrigger/fetched');
  for (const file of ['1', '2']) await remote.push({ file });
  {
    await using _first = await startSync(remote.url, at, { ready: true, args: ['--depth', '1'] });
    expect(await count()).toBe('1');
  }
  const commit = await remote.push({ file: '3' });
  await using sidecar = await startSync(remote.url, at, { args });
  await untilPublished(at, commit, sidecar);
  expect(await count()).toBe(expected);
});
