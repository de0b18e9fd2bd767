// What an image costs a node: what is pulled, memory alone and beside five others in one Pod, and how soon it is ready.
// Beside it programs from Debian, in containers as well. Needs Debian, root, podman, mmdebstrap, git, and what `pnpm images`
// has built.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { scratch } from '@outrigger/core/testing';
import { heading, median } from '../measure.ts';
import { type Contained, type Cost, Pod, podman } from './engine.ts';
import { buildPeers, peers, peersImage, sidecars } from './subjects.ts';

const rounds = 3;
const budget = { memory: 22, monitor: 30, ready: 300, added: 20 };

type Alone = { readonly ready: number; readonly cost: Cost };

await using directory = await scratch();
const six = sidecars(directory);
buildPeers(directory);
try {
  const alone = new Map<string, Alone>();
  for (const subject of [...six, ...peers(directory)]) alone.set(subject.name, await measureAlone(subject));
  const together = await measureTogether();
  print(alone, together);
} finally {
  await podman('rmi', '--force', peersImage);
}
process.stdout.write(
  execFileSync(process.execPath, [fileURLToPath(import.meta.resolve('../../../images/src/sizes.ts'))], {
    encoding: 'utf8',
  }),
);

async function measureAlone(subject: Contained): Promise<Alone> {
  const starts: number[] = [];
  for (let round = 1; round < rounds; round++) {
    await using pod = await Pod.open();
    starts.push(await pod.start(subject));
  }
  await using pod = await Pod.open();
  starts.push(await pod.start(subject));
  return { ready: median(starts), cost: await pod.cost(subject.name) };
}

/** One Pod, as on a node where all of them run. */
async function measureTogether(): Promise<ReadonlyMap<string, Cost>> {
  await using pod = await Pod.open();
  for (const subject of six) await pod.start(subject);
  const costs = new Map<string, Cost>();
  for (const { name } of six) costs.set(name, await pod.cost(name));
  return costs;
}

function print(alone: ReadonlyMap<string, Alone>, together: ReadonlyMap<string, Cost>): void {
  const rows = [...alone].map(([name, { ready, cost }]) => {
    const ours = together.get(name);
    const memory = name === 'monitor' ? budget.monitor : budget.memory;
    const cells = [
      name,
      `${cost.dirty.toFixed(1)}${ours ? ` (${memory})` : ''}`,
      cost.workingSet.toFixed(1),
      ours ? `${ours.unique.toFixed(1)} (${budget.added})` : '',
      ours ? ours.workingSet.toFixed(1) : '',
      `${ready.toFixed(0)}${ours ? ` (${budget.ready})` : ''}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const sum = (of: (cost: Cost) => number) =>
    [...together.values()].reduce((total, cost) => total + of(cost), 0).toFixed(1);
  process.stdout.write(
    `${heading('Containers, idle; budgets in brackets')}| | private data, MiB | cgroup working set, MiB | one of six adds to the node, MiB | ` +
      'its working set among six, MiB | ready after, ms |\n|---|---|---|---|---|---|\n' +
      `${rows.join('\n')}\n| all six in one Pod | ${sum(({ dirty }) => dirty)} | | ${sum(({ unique }) => unique)} | ${sum(({ workingSet }) => workingSet)} | |\n\n`,
  );
}
