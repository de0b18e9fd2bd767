import { scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { makeRemote, type Remote } from './support/remote.ts';
import { place, publishedCommit, startSync, untilLogged, untilPublished } from './support/start-sync.ts';

const started = async (ref: string | undefined, prepare: (remote: Remote) => Promise<unknown>) => {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await prepare(remote);
  const sidecar = stack.use(await startSync(remote.url, at, { args: ref ? ['--ref', ref] : [] }));
  return { at, remote, sidecar, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};

test('without --ref it follows HEAD of the remote, also when that moves to another branch', async () => {
  await using running = await started(undefined, (remote) => remote.push({ file: 'main' }));
  const { at, remote, sidecar } = running;
  const other = await remote.push({ file: 'other' }, { branch: 'other' });
  await remote.git('--git-dir', remote.path, 'symbolic-ref', 'HEAD', 'refs/heads/other');
  await untilPublished(at, other, sidecar);
});

test('a branch is followed and nothing else', async () => {
  await using running = await started('release', async (remote) => {
    await remote.push({ file: 'main' });
    await remote.push({ file: 'main' }, { branch: 'old/release' });
    await remote.push({ file: 'release' }, { branch: 'release' });
  });
  const { at, remote, sidecar } = running;
  await untilPublished(at, await remote.git('rev-parse', 'HEAD'), sidecar);
  await remote.push({ file: 'main again' });
  const release = await remote.push({ file: 'release again' }, { branch: 'release' });
  await untilPublished(at, release, sidecar);
});

test('an annotated tag is the commit it stands for, and is followed when it moves', async () => {
  await using running = await started('v1', async (remote) => {
    await remote.push({ file: 'one' });
    await remote.git('tag', '--annotate', '--message', 'One', 'v1');
    await remote.git('push', '--quiet', remote.path, 'v1');
  });
  const { at, remote, sidecar } = running;
  await untilPublished(at, await remote.git('rev-parse', 'HEAD'), sidecar);
  const moved = await remote.push({ file: 'two' });
  expect(await publishedCommit(at)).not.toBe(moved);
  await remote.git('tag', '--annotate', '--force', '--message', 'Two', 'v1');
  await remote.git('push', '--quiet', '--force', remote.path, 'v1');
  await untilPublished(at, moved, sidecar);
});

test('a tag goes before a branch of the same name, with a warning', async () => {
  await using running = await started('same', async (remote) => {
    await remote.push({ file: 'tag' });
    await remote.git('tag', 'same');
    await remote.git('push', '--quiet', remote.path, 'refs/tags/same');
    await remote.push({ file: 'branch' }, { branch: 'same' });
  });
  const { at, remote, sidecar } = running;
  await untilPublished(at, await remote.git('rev-parse', 'refs/tags/same'), sidecar);
  const warning = '"same" means refs/tags/same, not refs/heads/same; write it in full';
  await until(() => sidecar.logs().some(({ message }) => message === warning), { what: warning });
});

test('a commit that is no head any more is published, and later ones are not', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const first = await remote.push({ file: 'one' });
  await remote.push({ file: 'two' });
  await using sidecar = await startSync(remote.url, at, { args: ['--ref', first] });
  await untilPublished(at, first, sidecar);
});

test('an unknown reference is said to be unknown, and published once it is there', async () => {
  await using running = await started('later', (remote) => remote.push({ file: 'main' }));
  const { at, remote, sidecar } = running;
  expect(await untilLogged(sidecar, 'GIT_REF_NOT_FOUND')).toMatchObject({ level: 'warn', ref: 'later' });
  const ready = await sidecar.get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain(`has no "later"`);
  await untilPublished(at, await remote.push({ file: 'later' }, { branch: 'later' }), sidecar);
  await until(async () => (await sidecar.get('/readyz')).ok, { what: 'readiness' });
});

test('an empty repository is said to be empty, and published at the first push', async () => {
  await using running = await started(undefined, async () => undefined);
  const { at, remote, sidecar } = running;
  await untilLogged(sidecar, 'GIT_REMOTE_EMPTY');
  await untilPublished(at, await remote.push({ file: 'one' }), sidecar);
});

test('a commit that the remote does not have is said to be unknown', async () => {
  await using running = await started('f'.repeat(40), (remote) => remote.push({ file: 'one' }));
  await untilLogged(running.sidecar, 'GIT_REF_NOT_FOUND');
});

test('with --one-time an unknown reference ends it with exit code 1 and one clear line', async () => {
  await using directory = await scratch();
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  const args = ['--one-time', '--ref', 'nowhere'];
  await using sidecar = await startSync(remote.url, place(directory.path), { wait: false, args });
  expect(await sidecar.exited).toEqual({ code: 1, signal: null });
  expect(sidecar.stderr).toContain(`has no \\"nowhere\\"`);
});

test('more failures in a row than --max-failures end it with exit code 1', async () => {
  await using directory = await scratch();
  const remote = await makeRemote(directory.path);
  const args = ['--max-failures', '2'];
  await using sidecar = await startSync(remote.url, place(directory.path), { wait: false, args });
  expect((await sidecar.exited).code).toBe(1);
  expect(sidecar.logs().filter(({ code }) => code === 'GIT_REMOTE_EMPTY').length).toBe(3);
});
