// CPU per poll that finds nothing new, in the sidecar and in the git processes it starts, for a repository of 200 files.
// Beside it, in the same run, the git commands that kubernetes/git-sync 4 runs for such a poll (without its own process),
// since a number alone says more about the machine than about the program. Target: at most 0.3 of that.
// Measures the bundle, as an image holds it. Linux only: it reads /proc.

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { wait } from '@outrigger/core';
import { scratch, startSidecar, until } from '@outrigger/core/testing';
import { makeRemote } from '../test/support/remote.ts';

const rounds = 3;
const milliseconds = 5_000;

await using directory = await scratch();
const remote = await makeRemote(directory.path);
await remote.push(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`file-${i}.txt`, `${i}\n`.repeat(50)])));
await using sidecar = await startSidecar(
  import.meta.resolve('../dist/main.mjs'),
  ['--repo', remote.url, '--root', directory.join('root'), '--link', 'site', '--period', '20ms'],
  { ready: true },
);
await until(async () => (await polls()) >= 50, { what: 'warming up' });

console.log('ms of CPU per poll    sidecar     git     sum   commands of v4   ratio');
for (let round = 0; round < rounds; round++) {
  const { own, children } = await measure();
  const peer = commandsOfPeer();
  const columns = [
    own.toFixed(2).padStart(10),
    children.toFixed(2).padStart(8),
    (own + children).toFixed(2).padStart(8),
  ];
  console.log(
    `                   ${columns.join('')}${peer.toFixed(2).padStart(17)}${((own + children) / peer).toFixed(2).padStart(8)}`,
  );
}

async function measure(): Promise<{ own: number; children: number }> {
  const before = { ...(await cpuOf(sidecar.pid)), polls: await polls() };
  // Asking in between would cost the sidecar CPU, too.
  await wait(milliseconds);
  const after = { ...(await cpuOf(sidecar.pid)), polls: await polls() };
  const count = after.polls - before.polls;
  return { own: (after.own - before.own) / count, children: (after.children - before.children) / count };
}

async function polls(): Promise<number> {
  const text = await (await sidecar.get('/metrics')).text();
  return Number(/^outrigger_git_sync_polls_total\{result="unchanged"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Milliseconds of CPU so far, of the process and of all below it; the kernel counts in hundredths of a second. */
async function cpuOf(pid: number): Promise<{ own: number; children: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number);
  let children = (childUser! + childSystem!) * 10;
  for (const child of (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean)) {
    // A git that ends in between is counted with its parent.
    const below = await cpuOf(Number(child)).catch(() => ({ own: 0, children: 0 }));
    children += below.own + below.children;
  }
  return { own: (user! + system!) * 10, children };
}

/** Started by a shell, which is as cheap a parent as there is. */
function commandsOfPeer(): number {
  const tree = directory.join('root', 'site');
  const times = 40;
  const script = `
    cd "$1"
    for i in $(seq ${times}); do
      git rev-parse --show-toplevel
      git fsck --no-progress --connectivity-only
      git config --get core.bare
      git fetch "$2" HEAD --verbose --no-progress --prune --no-auto-gc --depth 1
      git rev-parse 'FETCH_HEAD^{}'
      git rev-parse HEAD
      git fsck --no-progress --connectivity-only
    done >/dev/null 2>&1
    times`;
  const printed = execFileSync('sh', ['-c', script, 'sh', tree, remote.url], { encoding: 'utf8' });
  const [minutes, seconds, systemMinutes, systemSeconds] = printed
    .split('\n')[1]!
    .match(/[\d.]+/g)!
    .map(Number);
  return ((minutes! * 60 + seconds! + systemMinutes! * 60 + systemSeconds!) * 1000) / times;
}
