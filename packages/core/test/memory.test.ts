import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { type CgroupMemory, readCgroupMemory } from '../src/cgroup.ts';
import { MemoryPlan } from '../src/memory.ts';
import { type Scratch, scratch } from '../src/testing/index.ts';

const MiB = 1024 ** 2;

/** Lays out files as the kernel shows them. */
function layOut(directory: Scratch, files: Readonly<Record<string, string>>) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(directory.join(path)), { recursive: true });
    writeFileSync(directory.join(path), content);
  }
  return { proc: directory.join('proc'), cgroup: directory.join('cgroup') };
}

test('version 2: the least limit on the way up counts, and files that can be dropped do not count as used', async () => {
  await using directory = await scratch();
  const roots = layOut(directory, {
    'proc/cgroup': '0::/kubepods/pod1/sidecar\n',
    'cgroup/kubepods/memory.max': 'max\n',
    'cgroup/kubepods/pod1/memory.max': `${96 * MiB}\n`,
    'cgroup/kubepods/pod1/sidecar/memory.max': `${128 * MiB}\n`,
    'cgroup/kubepods/pod1/sidecar/memory.current': `${50 * MiB}\n`,
    'cgroup/kubepods/pod1/sidecar/memory.stat': `anon 1\ninactive_file ${20 * MiB}\nactive_file 5\n`,
  });
  expect(readCgroupMemory(roots)).toEqual({ version: 2, limit: 96 * MiB, used: 30 * MiB });
  // Far from the limit all that is used is not more than what matters.
  expect(readCgroupMemory(roots, 0.8)).toEqual({ version: 2, limit: 96 * MiB, used: 50 * MiB });
  expect(readCgroupMemory(roots, 0.5)).toEqual({ version: 2, limit: 96 * MiB, used: 30 * MiB });
});

test('version 1 in a container without a namespace of its own: the mount stands for the path that it does not have', async () => {
  await using directory = await scratch();
  const roots = layOut(directory, {
    'proc/cgroup': '5:cpu,cpuacct:/\n4:memory:/kubepods/pod1/abc\n0::/\n',
    'cgroup/memory/memory.limit_in_bytes': `${64 * MiB}\n`,
    'cgroup/memory/memory.usage_in_bytes': `${40 * MiB}\n`,
    'cgroup/memory/memory.stat': `inactive_file 7\ntotal_inactive_file ${8 * MiB}\n`,
  });
  expect(readCgroupMemory(roots)).toEqual({ version: 1, limit: 64 * MiB, used: 32 * MiB });
});

test('no limit is undefined in both versions, and so is a machine without control groups', async () => {
  await using two = await scratch();
  const second = layOut(two, {
    'proc/cgroup': '0::/\n',
    'cgroup/memory.max': 'max\n',
    'cgroup/memory.current': '1000\n',
    'cgroup/memory.stat': '',
  });
  expect(readCgroupMemory(second)).toEqual({ version: 2, limit: undefined, used: 1000 });
  await using one = await scratch();
  const first = layOut(one, {
    'proc/cgroup': '4:memory:/\n',
    'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'cgroup/memory/memory.usage_in_bytes': '1000\n',
    'cgroup/memory/memory.stat': '',
  });
  expect(readCgroupMemory(first)).toEqual({ version: 1, limit: undefined, used: 1000 });
  await using none = await scratch();
  expect(readCgroupMemory({ proc: none.join('proc'), cgroup: none.join('cgroup') })).toBeUndefined();
});

test('this machine: what the kernel says agrees with what Node.js says', () => {
  const memory = readCgroupMemory();
  const constrained = process.constrainedMemory();
  // Node.js answers 0, or a number beyond any machine, where there is no limit.
  const limited = constrained > 0 && constrained < 2 ** 43;
  expect(memory?.limit).toBe(limited ? constrained : undefined);
  if (memory) expect(memory.used).toBeGreaterThan(0);
});

/** A plan whose readings the test sets; each look is older than the last one by more than a reading may be. */
function planOf(first: CgroupMemory | undefined) {
  const at = { reading: first };
  const changes: boolean[] = [];
  const plan = new MemoryPlan({ changed: (shedding) => changes.push(shedding), read: () => at.reading });
  return { at, changes, plan };
}
const reading = (used: number, limit = 100): CgroupMemory => ({ version: 2, limit: limit * MiB, used: used * MiB });

test('work is refused from 90 % of the limit until it is under 80 %', () => {
  const { at, changes, plan } = planOf(reading(50));
  const look = (used: number) => {
    at.reading = reading(used);
    return plan.budget().shedding;
  };
  expect([50, 89, 91, 85, 79, 85, 95].map(look)).toEqual([false, false, true, true, false, false, true]);
  expect(plan.shedding).toBe(true);
  expect(changes).toEqual([true, false, true]);
});

test('a limit that is raised while it runs counts from then on', () => {
  const { at, plan } = planOf(reading(95));
  expect(plan.budget()).toMatchObject({ limit: 100 * MiB, limitSource: 'cgroup v2', shedding: true });
  const before = plan.share(1);
  at.reading = reading(95, 400);
  expect(plan.budget()).toMatchObject({ limit: 400 * MiB, shedding: false });
  expect(plan.share(1)).toBeGreaterThan(before);
});

test('shares grow with the limit, are never nothing, and together stay under it', () => {
  for (const limit of [16, 32, 48, 64, 128, 512, 4096]) {
    const { plan } = planOf(reading(10, limit));
    const { buffers } = plan.budget();
    expect(buffers).toBeGreaterThanOrEqual((limit / 8) * MiB);
    expect(buffers).toBeLessThan((limit / 2) * MiB);
    expect(plan.share(0.25)).toBe(Math.floor(buffers / 4));
  }
});

test('without a limit the machine is named and nothing is refused', () => {
  const { plan } = planOf(undefined);
  expect(plan.budget()).toMatchObject({ limitSource: 'machine', shedding: false });
  expect(plan.oversizedHeap).toBe(false);
});
