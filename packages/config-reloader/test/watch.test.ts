import { execFileSync } from 'node:child_process';
import { link, mkdir, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeMaze, makeVolume, openEndpoint, scratch, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { confirmed, metric, startReloader, startTelling, telling } from './support/reloader.ts';

test('a change the kernel gives no event for is found by the periodic comparison', async () => {
  await using dir = await scratch();
  await mkdir(dir.join('elsewhere'));
  await mkdir(dir.join('config'));
  await writeFile(dir.join('elsewhere/source'), '1');
  await link(dir.join('elsewhere/source'), dir.join('config/app.conf'));
  await using endpoint = await openEndpoint();
  await using sidecar = await startTelling(endpoint, [dir.join('config')], ['--reconcile', '200ms']);
  // Written under its other name: the watched directory does not hear of it.
  await writeFile(dir.join('elsewhere/source'), '2');
  await confirmed(sidecar, 2);
  expect(await metric(sidecar, 'recovered_changes_total')).toBe(1);
});

test.skipIf(!mayLimit())(
  'without room for inotify it polls, says so, and listens again once there is room',
  async () => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { 'app.conf': '1' });
    await using endpoint = await openEndpoint();
    const main = await limited(dir.join('main.mjs'));
    await using sidecar = await startReloader(telling(endpoint, [volume.path], ['--reconcile', '1h']), { main });
    await volume.swap({ 'app.conf': '2' });
    await confirmed(sidecar, 2);
    expect(sidecar.logs()).toContainEqual(expect.objectContaining({ code: 'WATCH_POLLING', level: 'warn' }));
    expect(await metric(sidecar, 'watcher_mode{mode="polling"}')).toBe(1);
    setLimit(sidecar.pid, 1000);
    await until(() => metric(sidecar, 'watcher_mode{mode="events"}'));
    expect(await metric(sidecar, 'watcher_mode{mode="polling"}')).toBe(0);
    await volume.swap({ 'app.conf': '3' });
    await confirmed(sidecar, 3);
  },
);

test('too much to watch is not served until it is less, and what is found then is notified', async () => {
  await using dir = await scratch();
  await mkdir(dir.join('config'));
  await makeMaze(dir.join('config'));
  await using endpoint = await openEndpoint();
  await using sidecar = await startReloader(telling(endpoint, [dir.join('config')], ['--reconcile', '1h']), {
    ready: false,
  });
  const ready = await sidecar.get('/readyz?verbose');
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain(
    `[-]initial scan failed: "${dir.join('config')}" holds more than 20000 files and directories`,
  );
  await rename(dir.join('config'), dir.join('maze'));
  await makeVolume(dir.join('config'), { 'app.conf': '1' });
  // It may have changed since the application read it.
  await confirmed(sidecar, 1);
  expect((await sidecar.get('/readyz')).status).toBe(200);
});

/** Whether a user namespace, which has limits of its own, may be made here. */
function mayLimit(): boolean {
  try {
    execFileSync('unshare', ['-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_inotify_watches'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function setLimit(pid: number, limit: number): void {
  const command = `echo ${limit} > /proc/sys/user/max_inotify_watches`;
  execFileSync('nsenter', ['--user', '--preserve-credentials', '--target', String(pid), 'sh', '-c', command]);
}

/** A main.ts that runs in a user namespace without any inotify watch. */
async function limited(path: string): Promise<string> {
  const limit = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"';
  const main = fileURLToPath(import.meta.resolve('../src/main.ts'));
  const words = ['unshare', '-Ur', 'sh', '-c', limit, 'sh', process.execPath, main];
  const source = `process.execve('/usr/bin/unshare', [...${JSON.stringify(words)}, ...process.argv.slice(2)]);\n`;
  await writeFile(path, source);
  return pathToFileURL(path).href;
}
