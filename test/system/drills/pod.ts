// The demo Pod, prepared for faults that have to be built in: clocks that can be stopped, volumes that can be filled.

import { execFileSync } from 'node:child_process';
import { chmod, copyFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { type SidecarName, sidecars } from '@outrigger/example-billing/demo';
import { type DemoPod, startDemoPod } from '../demo-pod.ts';
import type { Manifest } from '../played-pod.ts';
import { podman, tryPodman } from '../podman.ts';

const clock = fileURLToPath(new URL('clock.mjs', import.meta.url));

/** Enough for state and for a few checkouts of the demo's repository. */
const small = { state: 1 << 20, content: 8 << 20 };

/** Microseconds in which a part of a processor may be used up. */
const period = 100_000;

export type DrillPod = DemoPod & {
  signal(name: SidecarName, signal: NodeJS.Signals): Promise<void>;
  /** To a part of one processor; without one, to as much as there is. */
  limitProcessor(name: SidecarName, part?: number): Promise<void>;
  /** To so many bytes, or the least above them that the kernel grants: what a process needs now cannot be taken away. */
  limitMemory(name: SidecarName, bytes: number): Promise<void>;
  freezeClock(name: SidecarName): Promise<void>;
  releaseClock(name: SidecarName): Promise<void>;
  /** Adds or removes a rule of the Pod's own packet filter. */
  filter(action: '--append' | '--delete', ...rule: readonly string[]): Promise<void>;
  /** Takes all the room there is in a volume, and gives it back. */
  fill(volume: keyof typeof small): Promise<void>;
  empty(volume: keyof typeof small): Promise<void>;
};

export async function startDrillPod(): Promise<DrillPod> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  // The Pod's user looks into it.
  await chmod(directory.path, 0o755);
  await copyFile(clock, directory.join('clock.mjs'));
  const demo = stack.use(await startDemoPod({ adjust: (spec) => prepare(spec, directory), small }));
  const owned = stack.move();
  const frozen = (name: SidecarName) => directory.join(`${name}.frozen`);
  const ballast = (volume: keyof typeof small) => join(demo.volume(volume), 'ballast');
  const update = (name: SidecarName, ...limits: string[]) => podman('update', ...limits, demo.container(name));
  return {
    ...demo,
    async signal(name, signal) {
      process.kill(await demo.program(name), signal);
    },
    async limitProcessor(name, part) {
      // podman lifts no limit again, but sets one that limits nothing.
      const quota = (part ?? availableParallelism()) * period;
      await update(name, '--cpu-period', String(period), '--cpu-quota', String(quota));
    },
    async limitMemory(name, bytes) {
      const granted = async (limit: number) =>
        (await tryPodman('update', '--memory', String(limit), demo.container(name))).code === 0;
      for (let limit = bytes; !(await granted(limit)); limit += 2 ** 20)
        if (limit > 2 * bytes) throw new Error(`${name} cannot be limited to ${limit} bytes`);
    },
    freezeClock: (name) => writeFile(frozen(name), ''),
    releaseClock: (name) => rm(frozen(name)),
    async filter(action, ...rule) {
      const inside = ['--target', String(await demo.program('monitor')), '--net', 'iptables'];
      execFileSync('nsenter', [...inside, action, 'OUTPUT', ...rule, '--jump', 'DROP'], { timeout: 10_000 });
    },
    async fill(volume) {
      await writeFile(ballast(volume), Buffer.alloc(small[volume])).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      });
    },
    empty: (volume) => rm(ballast(volume)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Each sidecar finds the file that stops its clock, and the code that looks at it. */
function prepare(spec: Manifest['spec'], directory: Scratch): void {
  spec.volumes.push({ name: 'drill', hostPath: { path: directory.path, type: 'Directory' } });
  for (const container of spec.containers) {
    if (!sidecars.some((name) => name === container.name)) continue;
    const env = { NODE_OPTIONS: '--import=/drill/clock.mjs', DRILL_NAME: container.name };
    container.env = [...(container.env ?? []), ...Object.entries(env).map(([name, value]) => ({ name, value }))];
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: 'drill', mountPath: '/drill' }];
  }
}
