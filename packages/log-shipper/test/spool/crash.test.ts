// Real processes: killed at any moment, and on a disk that is full.

import { fileURLToPath } from 'node:url';
import { cannotMount, scratch, startPeer, until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { drain, expectBalance, openQueue } from './queue.ts';

const putter = fileURLToPath(import.meta.resolve('./putter.ts'));
const safeOf = (stdout: string) => [...stdout.matchAll(/^safe (\d+)$/gm)].map(([, id]) => Number(id));

test('killed at any moment, all that was called safe is there, and nothing that is not whole', async () => {
  await using directory = await scratch();
  const spool = directory.join('spool');
  for (const [round, moment] of [1, 700, 50, 3000].entries()) {
    const path = `${spool}-${round}`;
    await using peer = await startPeer(process.execPath, [putter, path, '100']);
    await until(() => safeOf(peer.stdout).length >= moment);
    peer.kill('SIGKILL');
    await peer.exited;
    await using again = await openQueue(path);
    await using reader = again.reader('a');
    const ids = new Set(await drain(reader));
    expect(safeOf(peer.stdout).filter((id) => !ids.has(id))).toEqual([]);
    expectBalance(again, 'a');
  }
});

const reason = cannotMount();

test.skipIf(reason !== '')(
  `on a full disk it takes nothing, lives, and takes again when there is room${reason && ` (${reason})`}`,
  async () => {
    await using directory = await scratch();
    const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1/spool" 1000';
    const args = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', directory.path, process.execPath, putter];
    await using peer = await startPeer('unshare', args);
    await until(() => peer.stdout.includes('trouble ENOSPC'));
    const before = safeOf(peer.stdout);
    expect(before.length).toBeGreaterThan(500);
    // Nothing was lost of what was taken, and what is read makes room.
    peer.kill('SIGUSR1');
    const read = await until(() => /^read (\d+)$/m.exec(peer.stdout));
    expect(Number(read[1])).toBeGreaterThan(before.length * 1000);
    await until(() => peer.stdout.includes('well'));
    await until(() => safeOf(peer.stdout).length > before.length + 100);
    expect(peer.process.exitCode).toBe(null);
    peer.kill('SIGKILL');
  },
);
