import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import {
  freePort,
  handlesSighup,
  makeVolume,
  openEndpoint,
  scratch,
  startProgram,
  uniqueName,
  until,
} from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { confirmed, generationsOf, metric, startReloader, startTelling } from './support/reloader.ts';

const noReconcile = ['--reconcile', '1h'];

test('changes during a hanging notification are not lost, and end in one notification of the last', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const hanging: ServerResponse[] = [];
  await using endpoint = await openEndpoint({
    load: () => readFileSync(dir.join('config/app.conf'), 'utf8'),
    answer: (response, count) => (count === 1 ? hanging.push(response) : response.end()),
  });
  await using sidecar = await startTelling(endpoint, [volume.path], ['--settle', '0', ...noReconcile]);
  await volume.swap({ 'app.conf': '1' });
  await until(() => hanging.length === 1);
  const newest = async () => (await generationsOf(sidecar))[0]!;
  for (const [content, generation] of [
    ['2', 3],
    ['3', 4],
    ['last', 5],
  ] as const) {
    await volume.swap({ 'app.conf': content });
    await until(async () => (await newest()).generation === generation);
  }
  expect(await metric(sidecar, 'unconfirmed')).toBe(1);
  hanging[0]!.end();
  await until(async () => (await newest()).confirmed);
  expect(endpoint.loaded).toEqual(['1', 'last']);
  expect(await metric(sidecar, 'unconfirmed')).toBe(0);
  const states = (await generationsOf(sidecar)).map(({ state }) => state);
  expect(states).toEqual(['confirmed', 'superseded', 'superseded', 'confirmed', 'baseline']);
});

test('a notification that is never answered is given up after the time-out and tried again', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  await using endpoint = await openEndpoint({ answer: (response, count) => count > 1 && response.end() });
  await using sidecar = await startTelling(endpoint, [volume.path], ['--notify-timeout', '200ms', ...noReconcile]);
  await volume.swap({ 'app.conf': '1' });
  const generation = await confirmed(sidecar, 2);
  expect(generation).toMatchObject({ error: null, notifiers: [{ name: 'http', attempts: 2 }] });
  expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'NOTIFY_TIMEOUT' }));
  expect(await metric(sidecar, 'notifications_total{notifier="http",result="failure"}')).toBe(1);
});

test('an application that starts later is told then', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const port = await freePort();
  const args = ['--watch', volume.path, '--notify', 'http', '--notify-http-url', `http://127.0.0.1:${port}/reload`];
  await using sidecar = await startReloader([...args, ...noReconcile]);
  await volume.swap({ 'app.conf': '1' });
  const [failing] = await until(async () => {
    const list = await generationsOf(sidecar);
    return list[0]!.error && list;
  });
  expect(failing).toMatchObject({ state: 'pending', notified: null, error: { code: 'NOTIFY_HTTP_UNREACHABLE' } });
  const server = createServer((_, response) => response.end()).listen(port, '127.0.0.1');
  try {
    await confirmed(sidecar, 2);
  } finally {
    server.close();
  }
});

test('confirmed is what every notifier delivered', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const name = uniqueName();
  await using endpoint = await openEndpoint();
  const signal = ['--notify', 'signal', '--notify-signal-process', name];
  await using sidecar = await startTelling(endpoint, [volume.path], [...signal, ...noReconcile]);
  await volume.swap({ 'app.conf': '1' });
  const generation = await until(async () => {
    const [newest] = await generationsOf(sidecar);
    return newest!.notified && newest!.error ? newest : undefined;
  });
  expect(generation).toMatchObject({ state: 'pending', confirmed: null, error: { code: 'NOTIFY_PROCESS_NOT_FOUND' } });
  expect(generation!.error!.message).toContain('seen: ');
  await using program = await startProgram(dir.join(name), handlesSighup);
  await confirmed(sidecar, 2);
  await until(() => program.lines.length === 2);
  expect(endpoint.requests.length).toBe(1);
});

test('an application that was started again is signalled under its new pid', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const name = uniqueName();
  const signal = ['--notify', 'signal', '--notify-signal-process', name];
  await using sidecar = await startReloader(['--watch', volume.path, ...signal, ...noReconcile]);
  for (let round = 1; round <= 3; round++) {
    await using program = await startProgram(dir.join(name), handlesSighup);
    await volume.swap({ 'app.conf': String(round) });
    await confirmed(sidecar, round + 1);
    await until(() => program.lines.some((line) => line.startsWith('got SIGHUP')));
  }
});

test('a command is run for each generation until it works, and its words are in the log', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const log = dir.join('runs');
  const script = 'echo "$OUTRIGGER_GENERATION $OUTRIGGER_HASH $(cat "$1")" >> "$2"; echo "I tried"; grep -q three "$2"';
  await writeFile(dir.join('reload'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const command = `${dir.join('reload')} ${dir.join('config/app.conf')} "${log}"`;
  const exec = ['--notify', 'exec', '--notify-exec-command', command];
  await using sidecar = await startReloader(['--watch', volume.path, ...exec, ...noReconcile]);
  await volume.swap({ 'app.conf': 'two' });
  const [failing] = await until(async () => {
    const list = await generationsOf(sidecar);
    return list[0]!.error && list;
  });
  expect(failing).toMatchObject({ generation: 2, state: 'pending', error: { code: 'NOTIFY_EXEC_FAILED' } });
  await volume.swap({ 'app.conf': 'three' });
  const { hash } = await confirmed(sidecar, 3);
  expect(readFileSync(log, 'utf8').trim().split('\n').at(-1)).toBe(`3 ${hash} three`);
  expect(sidecar.logs()).toContainEqual(
    expect.objectContaining({ code: 'NOTIFY_EXEC_FAILED', exitCode: 1, output: 'I tried\n' }),
  );
  expect(sidecar.logs()).toContainEqual(
    expect.objectContaining({ message: 'Application notified', notifier: 'exec', output: 'I tried\n' }),
  );
});

test('what is found at the start is notified when asked for', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [volume.path], ['--notify-at-start', ...noReconcile]);
  expect(await confirmed(sidecar, 1)).toMatchObject({ generation: 1, state: 'confirmed' });
  expect(endpoint.requests.length).toBe(1);
});

test('SIGTERM during a failing notification stops at once and says what was left', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  await using endpoint = await openEndpoint({ answer: () => undefined });
  await using sidecar = await startTelling(endpoint, [volume.path], noReconcile);
  await volume.swap({ 'app.conf': '1' });
  await until(() => endpoint.requests.length === 1);
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toEqual({ code: 0, signal: null });
  expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'RELOAD_UNDELIVERED', generation: 2 }));
});

test('credentials of the URL are shown nowhere', async () => {
  await using dir = await scratch();
  const volume = await makeVolume(dir.join('config'), { 'app.conf': '0' });
  const url = `http://user:hunter2@127.0.0.1:${await freePort()}/reload`;
  const args = ['--watch', volume.path, '--notify', 'http', '--notify-http-url', url, '--log-level', 'trace'];
  await using sidecar = await startReloader([...args, ...noReconcile]);
  await volume.swap({ 'app.conf': '1' });
  await until(async () => (await generationsOf(sidecar))[0]!.error);
  const paths = ['/v1/generations', '/v1/status', '/v1/parameters', '/metrics'];
  const bodies = await Promise.all(paths.map(async (path) => (await sidecar.get(path)).text()));
  for (const text of [...bodies, sidecar.stderr]) expect(text).not.toContain('hunter2');
});
