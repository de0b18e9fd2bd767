import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { serveHttp } from './support/http-remote.ts';
import { gitProcesses } from './support/processes.ts';
import { makeRemote } from './support/remote.ts';
import {
  content,
  place,
  publishedCommit,
  startSync,
  status,
  untilLogged,
  untilPublished,
} from './support/start-sync.ts';

test('a remote that is down at the start holds readiness with the reason until it comes up', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await rename(remote.path, `${remote.path}.away`);
  await using sidecar = await startSync(remote.url, at);
  await untilLogged(sidecar, 'GIT_REMOTE_UNREACHABLE');
  const ready = await sidecar.get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain('cannot be reached');
  expect((await sidecar.get('/livez')).status).toBe(200);
  await rename(`${remote.path}.away`, remote.path);
  await untilPublished(at, commit, sidecar);
  await until(async () => (await sidecar.get('/readyz')).ok, { what: 'readiness' });
});

test('a remote that goes away later leaves the tree and readiness as they are', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await rename(remote.path, `${remote.path}.away`);
  await untilLogged(sidecar, 'GIT_REMOTE_UNREACHABLE');
  expect(await content(at, 'file')).toBe('one');
  expect((await sidecar.get('/readyz')).status).toBe(200);
  expect(await status(sidecar)).toMatchObject({ commit, failure: { code: 'GIT_REMOTE_UNREACHABLE' } });
  await rename(`${remote.path}.away`, remote.path);
  await untilPublished(at, await remote.push({ file: 'two' }), sidecar);
  await until(async () => (await status(sidecar)).failures === 0, { what: 'the failure to be over' });
});

test('failures are tried again with growing pauses, not at every period', async () => {
  await using directory = await scratch();
  const port = await freePort();
  await using sidecar = await startSync(`http://127.0.0.1:${port}/site.git`, place(directory.path));
  const failures = () => sidecar.logs().filter(({ code }) => code === 'GIT_REMOTE_UNREACHABLE');
  await until(() => failures().length >= 3, { deadline: 20_000, what: 'three failures' });
  const times = failures().map(({ time }) => Date.parse(String(time)));
  // A period of 30 ms would have tried a dozen times or more in between.
  expect(times[1]! - times[0]!).toBeGreaterThan(400);
});

test('a restart while the remote is down is ready at once with what was published', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  {
    await using _first = await startSync(remote.url, at, { ready: true });
  }
  await rename(remote.path, `${remote.path}.away`);
  await using sidecar = await startSync(remote.url, at, { ready: true });
  expect(await publishedCommit(at)).toBe(commit);
  await untilLogged(sidecar, 'GIT_REMOTE_UNREACHABLE');
  expect((await sidecar.get('/readyz')).status).toBe(200);
});

test('content that cannot be read any more takes readiness away until it can', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  // While the remote is down nothing is repaired.
  await rename(remote.path, `${remote.path}.away`);
  await untilLogged(sidecar, 'GIT_REMOTE_UNREACHABLE');
  await rename(at.link, `${at.link}.away`);
  const said = async () => (await sidecar.get('/readyz')).text();
  await until(async () => (await said()).includes('[-]content failed: '), { deadline: 15_000 });
  await rename(`${at.link}.away`, at.link);
  await until(async () => (await sidecar.get('/readyz')).ok, { deadline: 15_000 });
});

test('a force push to another history is published', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ old: 'old' });
  await using sidecar = await startSync(remote.url, at, { ready: true });
  await remote.git('checkout', '--quiet', '--orphan', 'fresh');
  await remote.git('rm', '-r', '--quiet', '--force', '.');
  const commit = await remote.push({ fresh: 'fresh' }, { force: true });
  await remote.git('--git-dir', remote.path, 'gc', '--quiet', '--prune=now');
  await untilPublished(at, commit, sidecar);
  expect((await readdir(at.link)).sort()).toEqual(['.git', 'fresh']);
});

test('a deleted branch leaves the last good tree, and is followed again when it comes back', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await remote.push({ file: 'one' }, { branch: 'work' });
  await using sidecar = await startSync(remote.url, at, { ready: true, args: ['--ref', 'work'] });
  await remote.git('push', '--quiet', remote.path, ':refs/heads/work');
  await untilLogged(sidecar, 'GIT_REF_NOT_FOUND');
  expect(await content(at, 'file')).toBe('one');
  expect((await sidecar.get('/readyz')).status).toBe(200);
  await untilPublished(at, await remote.push({ file: 'two' }, { branch: 'work' }), sidecar);
});

test('a root that served another repository serves the new one, and the old tree until then', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const first = await makeRemote(directory.path, 'first.git');
  const second = await makeRemote(directory.path, 'second.git');
  const old = await first.push({ file: 'first' });
  const commit = await second.push({ file: 'second' });
  {
    await using _before = await startSync(first.url, at, { ready: true });
  }
  await rename(second.path, `${second.path}.away`);
  await using sidecar = await startSync(second.url, at);
  await untilLogged(sidecar, 'GIT_REMOTE_UNREACHABLE');
  expect(await publishedCommit(at)).toBe(old);
  expect((await sidecar.get('/readyz')).status).toBe(503);
  await rename(`${second.path}.away`, second.path);
  await untilPublished(at, commit, sidecar);
  await until(async () => (await sidecar.get('/readyz')).ok, { what: 'readiness' });
});

test('a password from a file reaches its host, is read again when it changes, and is shown nowhere', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  http.credentials = 'reader:s3cr3t-token';
  const password = directory.join('password');
  await writeFile(password, 'wr0ng-token\n');
  const args = ['--username', 'reader', '--password-file', password];
  await using sidecar = await startSync(http.url, at, { args });
  await untilLogged(sidecar, 'GIT_REMOTE_REFUSED');
  await writeFile(password, 's3cr3t-token\n');
  await untilPublished(at, commit, sidecar);
  const shown = await Promise.all(
    ['/v1/parameters', '/v1/status', '/metrics'].map(async (path) => (await sidecar.get(path)).text()),
  );
  for (const text of [sidecar.stderr, sidecar.stdout, ...shown]) expect(text).not.toMatch(/s3cr3t|wr0ng/);
  const files = await Promise.all(
    ['config', 'outrigger.json', 'outrigger.gitconfig'].map((file) => readFile(join(at.root, '.git', file), 'utf8')),
  );
  for (const text of files) expect(text).not.toMatch(/s3cr3t|wr0ng/);
});

test('a password in the URL is used and shown nowhere, not even when it is refused', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const commit = await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  http.credentials = 'reader:other';
  await using sidecar = await startSync(http.url.replace('//', '//reader:s3cr%33t@'), at);
  await untilLogged(sidecar, 'GIT_REMOTE_REFUSED');
  expect(http.refused).toContain(`Basic ${btoa('reader:s3cr3t')}`);
  http.credentials = 'reader:s3cr3t';
  await untilPublished(at, commit, sidecar);
  for (const path of ['/v1/parameters', '/v1/status'])
    expect(await (await sidecar.get(path)).text()).not.toMatch(/s3cr/);
  expect(sidecar.stderr).not.toMatch(/s3cr/);
});

test('a transfer that hangs is ended at the deadline with every process of it, and tried again', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  await using sidecar = await startSync(http.url, at, { ready: true, args: ['--sync-timeout', '5s'] });
  http.stalling = true;
  const commit = await remote.push({ file: 'two' });
  await until(() => http.stalled > 0, { what: 'the fetch to hang' });
  const hanging = (await gitProcesses(at.root)).map(({ pid }) => pid);
  expect(hanging.length).toBeGreaterThan(1);
  await untilLogged(sidecar, 'GIT_TIMEOUT');
  expect(await content(at, 'file')).toBe('one');
  http.stalling = false;
  await untilPublished(at, commit, sidecar);
  expect((await gitProcesses(at.root)).filter(({ pid }) => hanging.includes(pid))).toEqual([]);
});

test('SIGTERM in the middle of a fetch ends git with it and exits 0', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  await using http = await serveHttp(directory.path);
  http.stalling = true;
  await using sidecar = await startSync(http.url, at);
  await until(() => http.stalled > 0, { what: 'the fetch to hang' });
  expect((await gitProcesses(at.root)).length).toBeGreaterThan(1);
  const begun = performance.now();
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await gitProcesses(at.root)).toEqual([]);
});

test('a git that ignores SIGTERM is ended all the same', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await remote.push({ file: 'one' });
  const program = directory.join('git');
  const pid = directory.join('pid');
  await writeFile(program, `#!/bin/sh\ntrap '' TERM INT\nsleep 1000 &\necho $! > ${pid}\nwait; wait; wait\n`);
  await chmod(program, 0o755);
  await using sidecar = await startSync(remote.url, at, { args: ['--git', program, '--sync-timeout', '1s'] });
  // On a busy machine an attempt may be over before its shell has come that far.
  const sleeping = Number(await until(() => readFile(pid, 'utf8').catch(() => ''), { what: 'git to have a child' }));
  await untilLogged(sidecar, 'GIT_TIMEOUT');
  await until(() => !alive(sleeping), { what: 'the child of git to be gone' });
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
