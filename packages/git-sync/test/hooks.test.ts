import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { metricOf, openEndpoint, type RunningSidecar, type Scratch, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { makeRemote } from './support/remote.ts';
import { content, place, startSync, status, untilLogged, untilPublished } from './support/start-sync.ts';

/** A hook that notes each run: where it was, what it was told, what it saw. `$log` is the file; more may follow. */
async function makeHook(directory: Scratch, more = ''): Promise<{ path: string; runs: () => string[] }> {
  const [path, log] = [directory.join('hook.sh'), directory.join('hook.log')];
  const script = `#!/bin/sh\nlog=${log}\necho "$GITSYNC_HASH $(pwd -P) $(cat file) $#" >> $log\n${more}\n`;
  await writeFile(path, script, { mode: 0o755 });
  return { path, runs: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) };
}

const metric = (sidecar: RunningSidecar, series: string) => metricOf(sidecar, `outrigger_git_sync_${series}`);

test('the exechook runs in the published tree, once for each change of the link', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory);
  const first = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { args: ['--exechook-command', hook.path] });
  await until(() => hook.runs().length === 1);
  expect(hook.runs()).toEqual([`${first} ${await realpath(at.link)} one 0`]);
  const second = await remote.push({ file: 'two' });
  await until(() => hook.runs().length === 2);
  expect(hook.runs()[1]).toBe(`${second} ${await realpath(at.link)} two 0`);
  await until(async () => (await metric(sidecar, 'hook_runs_total{hook="exechook",result="success"}')) === 2);
  expect(await metric(sidecar, 'hook_pending{hook="exechook"}')).toBe(0);
  expect(await metric(sidecar, 'hook_seconds_count{hook="exechook"}')).toBe(2);
  // More polls in which nothing changes.
  const polls = () => metric(sidecar, 'polls_total{result="unchanged"}');
  const before = await polls();
  await until(async () => (await polls()) > before + 3);
  expect(hook.runs().length).toBe(2);
});

test('flags and variables of git-sync v4 are understood', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, 'env > $log.env');
  await using endpoint = await openEndpoint();
  await remote.push({ file: 'one' });
  await using _sidecar = await startSync(remote.url, at, {
    env: {
      GITSYNC_EXECHOOK_COMMAND: hook.path,
      GITSYNC_EXECHOOK_TIMEOUT: '20s',
      GITSYNC_EXECHOOK_BACKOFF: '1s',
      GITSYNC_WEBHOOK_URL: endpoint.url,
      GITSYNC_WEBHOOK_METHOD: 'PUT',
      GITSYNC_WEBHOOK_SUCCESS_STATUS: '204',
      GITSYNC_WEBHOOK_TIMEOUT: '2s',
      GITSYNC_WEBHOOK_BACKOFF: '1s',
      GITSYNC_USERNAME: '',
      OUTRIGGER_ADMIN_TOKEN: 'hunter2',
      MINE: 'passed on',
    },
  });
  await until(() => hook.runs().length === 1 && endpoint.requests.length === 1);
  expect(endpoint.requests[0]!.method).toBe('PUT');
  const environment = await until(
    () => existsSync(directory.join('hook.log.env')) && readFileSync(directory.join('hook.log.env'), 'utf8'),
  );
  expect(environment).toContain('MINE=passed on\n');
  expect(environment).not.toContain('hunter2');
});

test('an exechook that fails is run again after its back-off, and syncing goes on meanwhile', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, 'echo "no way" >&2; [ "$(wc -l < $log)" -ge 3 ]');
  await remote.push({ file: 'one' });
  const args = ['--exechook-command', hook.path, '--exechook-backoff', '1s'];
  await using sidecar = await startSync(remote.url, at, { args });
  const failure = await untilLogged(sidecar, 'NOTIFY_EXEC_FAILED');
  expect(failure).toMatchObject({ hook: 'exechook', exitCode: 1, output: 'no way\n' });
  expect(await metric(sidecar, 'hook_pending{hook="exechook"}')).toBe(1);
  expect(await status(sidecar)).toMatchObject({
    hooks: [{ name: 'exechook', failure: { code: 'NOTIFY_EXEC_FAILED' } }],
  });
  await until(() => hook.runs().length === 3, { what: 'the third run' });
  await until(async () => (await metric(sidecar, 'hook_pending{hook="exechook"}')) === 0);
  expect(await metric(sidecar, 'hook_runs_total{hook="exechook",result="failure"}')).toBe(2);
  expect(await status(sidecar)).toMatchObject({ hooks: [{ name: 'exechook', pending: null, failure: null }] });
});

test('a hanging exechook holds up nothing; the newest commit is what it is run for next', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, `[ "$(wc -l < $log)" -ge 2 ] || { sleep 1000 & echo $! > $log.pid; wait; }`);
  await remote.push({ file: 'one' });
  const args = ['--exechook-command', hook.path, '--exechook-timeout', '10s', '--exechook-backoff', '1s'];
  await using sidecar = await startSync(remote.url, at, { args });
  await until(() => hook.runs().length === 1);
  const pid = Number(
    await until(
      () => existsSync(directory.join('hook.log.pid')) && readFileSync(directory.join('hook.log.pid'), 'utf8'),
    ),
  );
  let last = '';
  for (const file of ['two', 'three', 'four']) {
    last = await remote.push({ file });
    await untilPublished(at, last, sidecar);
  }
  expect(hook.runs().length).toBe(1);
  await untilLogged(sidecar, 'NOTIFY_TIMEOUT');
  await until(() => hook.runs().length === 2, { deadline: 20_000 });
  expect(hook.runs()[1]).toMatch(new RegExp(`^${last} .* four 0$`));
  await until(() => !existsSync(`/proc/${pid}`), { what: 'the child of the first run to be gone' });
});

test('the webhook carries the commit, and is sent again until the status is right', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await using endpoint = await openEndpoint({
    answer: (response, count) => response.writeHead(count === 1 ? 500 : 200).end(),
  });
  const first = await remote.push({ file: 'one' });
  const args = ['--webhook-url', endpoint.url, '--webhook-backoff', '1s'];
  await using sidecar = await startSync(remote.url, at, { args });
  await until(() => endpoint.requests.length === 2);
  for (const request of endpoint.requests)
    expect(request).toMatchObject({ method: 'POST', headers: { 'gitsync-hash': first } });
  const second = await remote.push({ file: 'two' });
  await until(() => endpoint.requests.length === 3);
  expect(endpoint.requests[2]!.headers['gitsync-hash']).toBe(second);
  expect(await metric(sidecar, 'hook_runs_total{hook="webhook",result="failure"}')).toBe(1);
});

test('with 0 as the status of success any answer will do', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await using endpoint = await openEndpoint({ answer: (response) => response.writeHead(404).end() });
  await remote.push({ file: 'one' });
  const args = ['--webhook-url', endpoint.url, '--webhook-success-status', '0'];
  await using sidecar = await startSync(remote.url, at, { args });
  await until(async () => (await metric(sidecar, 'hook_runs_total{hook="webhook",result="success"}')) === 1);
  expect(endpoint.requests.length).toBe(1);
});

test('a receiver made of a few lines of shell, whose lines end without CR, is understood', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const heard = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      heard.resolve(data.toString());
      socket.end('HTTP/1.1 200 OK\n\n');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const commit = await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, { wait: false, args: ['--webhook-url', url, '--one-time'] });
  expect(await heard.promise).toContain(`gitsync-hash: ${commit}\r\n`);
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  server.close();
});

test('with --one-time the hooks have run when it exits', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, 'sleep 1; echo finished >> $log');
  await using endpoint = await openEndpoint({ answer: (response) => response.writeHead(200).end() });
  await remote.push({ file: 'one' });
  const args = ['--one-time', '--exechook-command', hook.path, '--webhook-url', endpoint.url];
  await using sidecar = await startSync(remote.url, at, { wait: false, args });
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(hook.runs()).toEqual([expect.stringContaining(' one 0'), 'finished']);
  expect(endpoint.requests.length).toBe(1);
});

test.each(['exechook', 'webhook'])(
  'with --one-time a failing %s is run once, and the exit code is 1',
  async (which) => {
    await using directory = await scratch();
    const at = place(directory.path);
    const remote = await makeRemote(directory.path);
    const hook = await makeHook(directory, 'exit 1');
    await using endpoint = await openEndpoint({ answer: (response) => response.writeHead(500).end() });
    await remote.push({ file: 'one' });
    const hooks = which === 'exechook' ? ['--exechook-command', hook.path] : ['--webhook-url', endpoint.url];
    await using sidecar = await startSync(remote.url, at, { wait: false, args: ['--one-time', ...hooks] });
    expect(await sidecar.exited).toEqual({ code: 1, signal: null });
    expect(hook.runs().length + endpoint.requests.length).toBe(1);
    // What is published stays published.
    expect(await content(at, 'file')).toBe('one');
  },
);

test('SIGTERM during a one-time hook that hangs stops it, with the hook', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, 'echo $$ > $log.pid; exec sleep 1000');
  await remote.push({ file: 'one' });
  const args = ['--one-time', '--exechook-command', hook.path];
  await using sidecar = await startSync(remote.url, at, { wait: false, args });
  const pid = Number(
    await until(
      () => existsSync(directory.join('hook.log.pid')) && readFileSync(directory.join('hook.log.pid'), 'utf8'),
    ),
  );
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'GIT_HOOK_UNFINISHED', hook: 'exechook' }));
});

test('a start runs the hooks for what is published, since the last run may have died before', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory);
  const commit = await remote.push({ file: 'one' });
  const args = ['--exechook-command', hook.path];
  for (const count of [1, 2]) {
    await using sidecar = await startSync(remote.url, at, { args });
    await until(() => hook.runs().length === count, { what: `run ${count}` });
    sidecar.kill('SIGKILL');
    await sidecar.exited;
  }
  expect(hook.runs().map((run) => run.split(' ')[0])).toEqual([commit, commit]);
});

test('a tree that had to be made anew is a change of the link, too', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory);
  await remote.push({ file: 'one' });
  await using _sidecar = await startSync(remote.url, at, { args: ['--exechook-command', hook.path] });
  await until(() => hook.runs().length === 1);
  await rm(await realpath(at.link), { recursive: true });
  await until(() => hook.runs().length === 2);
  expect(hook.runs()[1]).toContain(join(at.root, await readlink(at.link)));
});

test('git works in the tree in which a hook runs', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  const hook = await makeHook(directory, 'git archive --format=tar HEAD | tar -t > $log.names');
  await remote.push({ file: 'one' });
  await using sidecar = await startSync(remote.url, at, {
    wait: false,
    args: ['--one-time', '--exechook-command', hook.path],
  });
  expect(await sidecar.exited, sidecar.stderr).toEqual({ code: 0, signal: null });
  expect(readFileSync(directory.join('hook.log.names'), 'utf8')).toBe('file\n');
});

test('the notifiers of the toolkit tell of each publication, too', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const remote = await makeRemote(directory.path);
  await using endpoint = await openEndpoint();
  const log = directory.join('told');
  const first = await remote.push({ file: 'one' });
  const http = ['--notify', 'http', '--notify-http-url', endpoint.url];
  const script = `echo "$OUTRIGGER_GENERATION $OUTRIGGER_HASH" >> ${log}`;
  const exec = ['--notify', 'exec', '--notify-exec-command', `sh -c '${script}'`];
  await using _sidecar = await startSync(remote.url, at, { args: [...http, ...exec] });
  const told = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  await until(() => endpoint.requests.length === 1 && told() !== '');
  const second = await remote.push({ file: 'two' });
  await until(() => endpoint.requests.length === 2 && told().includes(second));
  expect(told()).toBe(`1 ${first}\n2 ${second}\n`);
  expect(endpoint.requests.map(({ headers }) => headers['outrigger-hash'])).toEqual([first, second]);
});

test('hooks that cannot be right are refused before anything is synced', async () => {
  await using directory = await scratch();
  const at = place(directory.path);
  const wrong = [
    '--exechook-command',
    '/no/such/hook',
    '--exechook-timeout',
    '10ms',
    '--webhook-url',
    'ftp://example.com/',
  ];
  await using sidecar = await startSync('file:///nowhere', at, { wait: false, args: wrong });
  expect((await sidecar.exited).code).toBe(64);
  expect(sidecar.stderr).toMatch(/--exechook-command +\/no\/such\/hook .*: no such program/);
  expect(sidecar.stderr).toMatch(/--exechook-timeout +10ms .*: a duration from 1s to 1d is expected/);
  expect(sidecar.stderr).toMatch(/--webhook-url +ftp/);
});
