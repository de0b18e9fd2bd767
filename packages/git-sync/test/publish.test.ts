import { readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { makeRemote } from './support/remote.ts';
import { content, place, startSync, untilPublished } from './support/start-sync.ts';

test('a reader never sees a missing file or two commits mixed during 50 pushes', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ first: '0', second: '0' });
  await using sidecar = await startSync(remote.url, at, { ready: true });

  const sets = Array.from({ length: 50 }, (_, i) => `${i + 1}`.repeat(1000)).map((text) => ({
    first: text,
    second: text,
  }));
  const commits = await remote.prepare(sets);
  let reading = true;
  const seen = new Set<string>();
  // As an application does that takes the directory once for each piece of work.
  const read = async () => {
    while (reading) {
      const tree = await realpath(at.link);
      const [first, second] = await Promise.all(['first', 'second'].map((file) => readFile(join(tree, file), 'utf8')));
      expect(second).toBe(first);
      seen.add(first!);
    }
  };
  const reader = read();
  for (const commit of commits) {
    await remote.git('push', '--quiet', remote.path, `${commit}:refs/heads/main`);
    await Promise.race([untilPublished(at, commit, sidecar), reader]);
  }
  reading = false;
  await reader;
  expect(seen.size).toBeGreaterThan(25);
}, 300_000);

test('readiness, the event, the API and the metrics tell of the commit', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const first = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { ready: true, args: ['--ref', 'main'] });
  const second = await remote.push({ file: 'two' });
  await untilPublished(at, second, sidecar);
  expect(await content(at, 'file')).toBe('two');

  const stream = await sidecar.get('/v1/events', {
    headers: { 'last-event-id': '0' },
    signal: AbortSignal.timeout(10_000),
  });
  let events = '';
  for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
    events += chunk;
    if (events.includes(second)) break;
  }
  expect(events).toContain(`event: published`);
  expect(events).toContain(`"commit":"${first}","ref":"refs/heads/main"`);

  const generations = (await (await sidecar.get('/v1/generations')).json()) as object[];
  expect(generations).toMatchObject([
    { commit: second, ref: 'refs/heads/main', current: true },
    { commit: first, ref: 'refs/heads/main', current: false },
  ]);
  expect(await (await sidecar.get('/v1/status')).json()).toMatchObject({ commit: second, failures: 0 });
  const metrics = await until(
    async () =>
      /^[\s\S]*polls_total\{result="published"\} 2$[\s\S]*/m.exec(await (await sidecar.get('/metrics')).text())?.[0],
    { what: 'two publications to be counted' },
  );
  expect(metrics).toContain(`outrigger_git_sync_published_info{commit="${second}"} 1`);
  expect(metrics).not.toContain(`commit="${first}"`);
});

test('one generation before the current one is kept, older ones go', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await using sidecar = await startSync(remote.url, at);
  const commits: string[] = [];
  for (const file of ['1', '2', '3', '4']) {
    commits.push(await remote.push({ file }));
    await untilPublished(at, commits.at(-1)!, sidecar);
  }
  const trees = () => readdir(join(at.root, '.worktrees'));
  await until(async () => (await trees()).length === 2, { what: 'older trees to go' });
  expect((await trees()).sort()).toEqual(commits.slice(2).sort());
});

test('going back to the commit before shows the tree that is still there', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const first = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  const { ino } = await stat(await realpath(at.link));
  const second = await remote.push({ file: 'two' });
  await untilPublished(at, second, sidecar);
  await remote.git('push', '--quiet', '--force', remote.path, `${first}:refs/heads/main`);
  await untilPublished(at, first, sidecar);
  expect((await stat(await realpath(at.link))).ino).toBe(ino);
});

test('the published tree is a working tree of git wherever the volume is mounted', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using _sidecar = await startSync(remote.url, at, { ready: true });
  expect(await readFile(join(at.link, '.git'), 'utf8')).toMatch(/^gitdir: \.\.\/\.\.\/\.git\/worktrees\//);
});

test.each(['nested/deep/site', 'absolute'])('the link may be %s', async (link) => {
  await using directory = await scratch();
  const at = {
    ...place(directory.path),
    link: link === 'absolute' ? directory.join('elsewhere', 'site') : directory.join('root', link),
  };
  const remote = await makeRemote(directory.path);
  const first = await remote.push({ file: 'one' });
  const written = link === 'absolute' ? at.link : link;
  await using sidecar = await startSync(remote.url, at, { ready: true, link: written });
  await untilPublished(at, first, sidecar);
  expect(await content(at, 'file')).toBe('one');
});

test.each(['link', 'tree'])('a %s that somebody removes comes back in one step', async (what) => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`file-${i}`, `${i}\n`.repeat(200)]));
  const commit = await remote.push(files);
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await rm(what === 'link' ? at.link : await realpath(at.link), { recursive: true });
  const found = await until(() => readdir(at.link).catch(() => undefined), { what: 'the tree to come back' });
  // All of them and .git, at the first look that finds anything.
  expect(found.length).toBe(301);
  await untilPublished(at, commit, sidecar);
});

test('with --one-time it exits 0 after the first success', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { wait: false, args: ['--one-time'] });
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  await untilPublished(at, commit);
});
