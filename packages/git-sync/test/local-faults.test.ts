import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotMount, scratch, startSidecar, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { makeRemote } from './support/remote.ts';
import { content, main, place, publishedCommit, startSync, untilPublished } from './support/start-sync.ts';

describe('a local repository that is broken is made anew, and what is published stays until then', () => {
  const breakages: Record<string, (gitDirectory: string) => Promise<unknown>> = {
    'its HEAD is garbage': (directory) => writeFile(join(directory, 'HEAD'), 'garbage\n'),
    'its configuration is garbage': (directory) => writeFile(join(directory, 'config'), '[[[\n'),
    'its objects are gone': (directory) => rm(join(directory, 'objects'), { recursive: true }),
    'it is gone': (directory) => rm(directory, { recursive: true }),
    'its objects are empty files': async (directory) => {
      const files = await readdir(join(directory, 'objects'), { recursive: true, withFileTypes: true });
      for (const file of files.filter((each) => each.isFile())) {
        const path = join(file.parentPath, file.name);
        await chmod(path, 0o644);
        await truncate(path, 0);
      }
    },
    'its reference is garbage': (directory) => writeFile(join(directory, 'refs', 'outrigger', 'fetched'), 'garbage\n'),
  };

  test.each(Object.keys(breakages))('%s', async (breakage) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await remote.push({ file: 'one', same: 'same' });
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await breakages[breakage]!(join(at.root, '.git'));
    expect(await content(at, 'file')).toBe('one');
    await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
    expect(await content(at, 'file')).toBe('two');
    expect(await content(at, 'same')).toBe('same');
    await untilPublished(at, await remote.push({ file: 'three' }), sidecar);
    expect((await readdir(at.root)).sort()).toEqual(['.git', '.worktrees', 'current']);
  });

  test('it is broken while the sidecar does not run', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const commit = await remote.push({ file: 'one' });
    {
      await using _first = await startSync(remote.url, at, { ready: true });
    }
    await rm(join(at.root, '.git', 'objects'), { recursive: true });
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await untilPublished(at, commit, sidecar);
    await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
  });
});

describe('a tree that is damaged while the sidecar does not run is replaced', () => {
  const damages: Record<string, (tree: string) => Promise<unknown>> = {
    'a file is gone': (tree) => rm(join(tree, 'file')),
    'a file is changed': (tree) => writeFile(join(tree, 'file'), 'changed'),
    'everything is gone': (tree) => rm(tree, { recursive: true }),
  };
  test.each(Object.keys(damages))('%s', async (damage) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const commit = await remote.push({ file: 'one' });
    {
      await using _first = await startSync(remote.url, at, { ready: true });
    }
    await damages[damage]!(join(at.root, await readlink(at.link)));
    await using sidecar = await startSync(remote.url, at, { ready: true });
    await until(async () => (await content(at, 'file').catch(() => '')) === 'one', { what: 'the file as committed' });
    await untilPublished(at, commit, sidecar);
  });
});

test('locks that a killed git left do not stop the next sync', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  const locks = [
    'index.lock',
    'HEAD.lock',
    'shallow.lock',
    'config.lock',
    'packed-refs.lock',
    'refs/outrigger/fetched.lock',
  ];
  const lock = () => Promise.all(locks.map((name) => writeFile(join(at.root, '.git', name), '')));
  await using first = await startSync(remote.url, at, { ready: true });
  await lock();
  await untilPublished(at, await remote.push({ file: 'two' }), first);
  first.kill('SIGKILL');
  await first.exited;
  await lock();
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, await remote.push({ file: 'three' }), sidecar);
  const left = await readdir(join(at.root, '.git'), { recursive: true });
  expect(left.filter((name) => name.endsWith('.lock'))).toEqual([]);
});

const reason = cannotMount();

describe.skipIf(reason !== '')(`a file system${reason && ` (${reason})`}`, () => {
  const usual = (remote: string, root: string) => [
    '--repo',
    remote,
    '--root',
    root,
    '--link',
    'current',
    '--period',
    '30ms',
  ];

  test('that is full keeps the last good tree, and syncing goes on when there is room', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await remote.push({ file: 'one' });
    await mkdir(at.root);
    await using sidecar = await startSidecar(main, usual(remote.url, at.root), {
      mount: { at: at.root, options: 'size=3m' },
    });
    const inside = () => ({ ...at, link: sidecar.inside(at.link) });
    await until(() => content(inside(), 'file').catch(() => undefined), {
      deadline: 20_000,
      what: () => sidecar.stderr,
    });
    const commit = await remote.push({ file: 'two', big: randomBytes(4 * 1024 * 1024).toString('latin1') });
    await until(() => sidecar.stderr.includes('GIT_DISK_FULL'), { deadline: 20_000, what: () => sidecar.stderr });
    expect(await content(inside(), 'file')).toBe('one');
    expect(await publishedCommit(inside())).not.toBe(commit);
    const small = await remote.push({ file: 'three', big: '' });
    await until(async () => (await publishedCommit(inside())) === small, {
      deadline: 30_000,
      what: () => sidecar.stderr,
    });
    const trees = await readdir(sidecar.inside(join(at.root, '.worktrees')));
    expect(trees.length).toBeLessThanOrEqual(2);
  });

  test('that is read-only is named on one line', async () => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    await mkdir(at.root);
    await using sidecar = await startSidecar(main, usual(remote.url, at.root), {
      mount: { at: at.root, options: 'ro' },
      wait: false,
    });
    expect(await sidecar.exited).toEqual({ code: 64, signal: null });
    expect(sidecar.stderr).toContain(`--root  ${at.root} (--root): the file system is read-only`);
  });
});
