// inotify without room, in a user namespace that has limits of its own.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeVolume, scratch, startPeer, until } from '../../src/testing/index.ts';

const limits = [
  ['max_inotify_watches', 'ENOSPC'],
  ['max_inotify_instances', 'EMFILE'],
] as const;

const limit = (name: string, value: number) => `echo ${value} > /proc/sys/user/${name}`;

/** Whether a user namespace may be made here. */
function mayLimit(): boolean {
  try {
    execFileSync('unshare', ['-Ur', 'sh', '-c', limit('max_inotify_watches', 0)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Prints a line for each mode and each change. */
const program = (path: string) => `
import { openWatcher } from '${import.meta.resolve('../../src/watch/index.ts')}';
await openWatcher({
  paths: [${JSON.stringify(path)}],
  settle: 0,
  reconcile: 86_400_000,
  changed: ({ hash, hinted }) => console.log('changed', hash, hinted),
  modeChanged: (mode, fault) => console.log(mode, fault?.code, fault?.cause?.code),
});
console.log('ready');
`;

test.skipIf(!mayLimit()).each(limits)(
  'without room by %s it polls and says so (%s), and listens again once there is room',
  async (name, code) => {
    await using dir = await scratch();
    const volume = await makeVolume(dir.join('config'), { key: '1' });
    await writeFile(dir.join('watch.ts'), program(volume.path));
    const words = ['-Ur', 'sh', '-c', `${limit(name, 0)} && exec "$@"`, 'sh', process.execPath, dir.join('watch.ts')];
    await using peer = await startPeer('unshare', words, { ready: /^ready$/m });
    const changes = () => peer.stdout.match(/^changed \w+ true$/gm)?.length ?? 0;
    expect(peer.stdout).toContain(`polling WATCH_POLLING ${code}\n`);
    await volume.swap({ key: '2' });
    await until(() => changes() === 1, { what: () => `polling to see the swap:\n${peer.stdout}${peer.stderr}` });
    expect(peer.stdout).not.toContain('events');
    const enter = ['--user', '--preserve-credentials', '--target', String(peer.pid), 'sh', '-c'];
    execFileSync('nsenter', [...enter, limit(name, 1000)]);
    await until(() => peer.stdout.includes('events undefined'), { what: () => `events again:\n${peer.stdout}` });
    await volume.swap({ key: '3' });
    await until(() => changes() === 2);
    expect(peer.stdout.match(/polling/g)).toHaveLength(1);
  },
);
