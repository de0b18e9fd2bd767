import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch, until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { serveHttp } from './support/http-remote.ts';
import { gitProcesses } from './support/processes.ts';
import { makeRemote } from './support/remote.ts';
import { content, place, publishedCommit, startSync, untilPublished } from './support/start-sync.ts';

describe('killed with -9 at any moment, the link stays whole, and a restart cleans up and goes on', () => {
  const moments: Record<string, (root: string, commit: string) => Promise<unknown>> = {
    'the fetch begins': (root) => readFile(join(root, '.git', 'refs', 'outrigger', 'fetched.lock')),
    'the tree is begun': (root, commit) => readdir(join(root, '.worktrees', commit)),
    'the tree is half written': (root, commit) => readFile(join(root, '.worktrees', commit, 'filler-150')),
    'the last file is written': (root, commit) => readFile(join(root, '.worktrees', commit, 'second')),
    'the commit is published': async (root, commit) => {
      expect(await publishedCommit({ root, link: join(root, 'current') })).toBe(commit);
    },
  };
  const filler = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`filler-${i}`, `${i}\n`.repeat(200)]));

  test.each(Object.keys(moments))('when %s', async (moment) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const before = await remote.push({ ...filler, first: 'before', second: 'before' });
    await using killed = await startSync(remote.url, at, { ready: true });
    const commit = await remote.push({ first: 'after', second: 'after' });
    // Some moments pass between two looks; then it is killed after the publication.
    await until(async () =>
      Promise.any([moments[moment]!(at.root, commit), moments['the commit is published']!(at.root, commit)]).then(
        () => true,
        () => false,
      ),
    );
    killed.kill('SIGKILL');
    await killed.exited;
    expect([before, commit]).toContain(await publishedCommit(at));
    expect(await content(at, 'second')).toBe(await content(at, 'first'));
    expect((await readdir(at.link)).length).toBe(303);

    await using sidecar = await startSync(remote.url, at);
    await untilPublished(at, commit, sidecar);
    await untilPublished(at, await remote.push({ first: 'last', second: 'last' }), sidecar);
    expect((await readdir(at.root)).sort()).toEqual(['.git', '.worktrees', 'current']);
    await until(async () => (await readdir(join(at.root, '.worktrees'))).length === 2, { what: 'other trees to go' });
  });
});

test('killed while it makes the local repository, a restart makes it', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using killed = await startSync(remote.url, at, { wait: false });
  await until(() =>
    readdir(join(at.root, '.git')).then(
      () => true,
      () => false,
    ),
  );
  killed.kill('SIGKILL');
  await killed.exited;
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await untilPublished(at, commit, sidecar);
});

test('git processes that a killed sidecar left behind are ended by the next one', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  http.stalling = true;
  await using killed = await startSync(http.url, at);
  await until(() => http.stalled > 0, { what: 'the fetch to hang' });
  killed.kill('SIGKILL');
  await killed.exited;
  const orphans = await gitProcesses(at.root);
  expect(orphans.filter(({ line }) => line.includes(' fetch ')).length).toBeGreaterThan(0);
  http.stalling = false;
  await using sidecar = await startSync(http.url, at);
  await untilPublished(at, commit, sidecar);
  expect(sidecar.stderr).toContain('Ended git processes that the last run left behind');
  const left = (await gitProcesses(at.root)).filter(({ pid }) => orphans.some((each) => each.pid === pid));
  expect(left).toEqual([]);
});
