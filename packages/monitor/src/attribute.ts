// Attribute: from two samples to the CPU share of each process and the totals of each container.

import { uptime } from 'node:os';
import { scriptOf, ticksPerSecond } from '@outrigger/core';
import type { Measured, MemoryKind, Sample } from './sample.ts';

export type Process = {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** What it was started as, without arguments; '' for a zombie. */
  readonly program: string;
  readonly arguments?: string[];
  /** '' when unknown. */
  readonly container: string;
  /** Effective user id; -1 when unknown. */
  readonly user: number;
  readonly state: string;
  readonly threads: number;
  readonly started: string;
  /** Cores used over the last interval: 1 is one core. */
  readonly cpu: number;
  readonly cpuSeconds: number;
  readonly memory: number;
  readonly memoryKind: MemoryKind;
};

export type Container = {
  readonly name: string;
  readonly processes: number;
  /** Cores used over the last interval, by children that came and went in it too. */
  readonly cpu: number;
  /** Seconds of CPU time since the monitor started. */
  readonly cpuSeconds: number;
  readonly memory: number;
};

export type Snapshot = {
  readonly time: Date;
  readonly at: number;
  readonly took: number;
  /** Seconds since the sample before; 0 for the first, which can tell no shares. */
  readonly interval: number;
  /** Can processes of other containers be seen? */
  readonly shared: boolean;
  readonly processes: readonly Process[];
  readonly containers: readonly Container[];
};

// Containers that were restarted have new ids: those long gone make room.
const containersKept = 64;

export class Attribution {
  readonly #showArguments: boolean;
  readonly #cpuSeconds = new Map<string, number>();
  // Kept, so that the start of a process does not seem to move when the clock is set.
  #bootTime: number | undefined;
  #before: { readonly at: number; readonly processes: ReadonlyMap<number, Measured> } | undefined;

  constructor({ showArguments }: { showArguments: boolean }) {
    this.#showArguments = showArguments;
  }

  next({ time, at, took, processes }: Sample): Snapshot {
    const now = new Map(processes.map((each) => [each.pid, each]));
    const before = this.#before;
    this.#before = { at, processes: now };
    this.#bootTime ??= bootTimeOf(processes);
    const interval = before ? (at - before.at) / 1000 : 0;
    const used = usageSince(before?.processes, now);
    const share = (seconds: number) => (interval > 0 ? Math.round((seconds / interval) * 1e4) / 1e4 : 0);
    return {
      time,
      at,
      took,
      interval,
      shared: isShared(processes),
      processes: processes.map((each) => this.#process(each, share(used.get(each.pid)?.own ?? 0))),
      containers: this.#containers(processes, used, share),
    };
  }

  #process({ command, startTime, cpu, ...measured }: Measured, share: number): Process {
    const { pid, parent, name, container, user, state, threads, memory, memoryKind } = measured;
    return {
      pid,
      parent,
      // Every program of Node.js has the same name in the kernel, and so have those of other interpreters.
      name: scriptOf(command)?.slice(0, 256) ?? name,
      program: programOf(command),
      ...(this.#showArguments && { arguments: command.slice(1) }),
      container,
      user,
      state,
      threads,
      started: new Date(this.#bootTime! + (startTime / ticksPerSecond) * 1000).toISOString(),
      cpu: share,
      cpuSeconds: cpu,
      memory,
      memoryKind,
    };
  }

  #containers(processes: readonly Measured[], used: ReadonlyMap<number, Used>, share: (seconds: number) => number) {
    const byName = Map.groupBy(processes, ({ container }) => container);
    return [...byName].map(([name, members]): Container => {
      const seconds = sum(members, ({ pid }) => (used.get(pid)?.own ?? 0) + (used.get(pid)?.children ?? 0));
      return {
        name,
        processes: members.length,
        cpu: share(seconds),
        cpuSeconds: this.#count(name, seconds, byName),
        memory: sum(members, ({ memory }) => memory),
      };
    });
  }

  #count(name: string, seconds: number, alive: ReadonlyMap<string, unknown>): number {
    // Whole ticks, without what adding fractions leaves.
    const total = Math.round(((this.#cpuSeconds.get(name) ?? 0) + seconds) * ticksPerSecond) / ticksPerSecond;
    // Last in, so that the first to be forgotten is the one gone for longest.
    this.#cpuSeconds.delete(name);
    this.#cpuSeconds.set(name, total);
    for (const each of this.#cpuSeconds.keys())
      if (this.#cpuSeconds.size > containersKept && !alive.has(each)) this.#cpuSeconds.delete(each);
    return total;
  }
}

type Used = { own: number; children: number };

/** Seconds of CPU time each process has used since the sample before, itself and through children that have ended. */
function usageSince(before: ReadonlyMap<number, Measured> | undefined, now: ReadonlyMap<number, Measured>) {
  const used = new Map<number, Used>();
  for (const [pid, { startTime, cpu, childrenCpu }] of now) {
    const known = before?.get(pid);
    const same = known?.startTime === startTime ? known : undefined;
    // Before the first sample nothing is counted; whoever came after it has used all it has in the interval.
    const base = same ?? (before ? { cpu: 0, childrenCpu: 0 } : { cpu, childrenCpu });
    used.set(pid, { own: Math.max(0, cpu - base.cpu), children: Math.max(0, childrenCpu - base.childrenCpu) });
  }
  // A child that has ended hands all it ever used to who waited for it: what was counted as its own is taken off.
  for (const gone of before?.values() ?? []) {
    if (now.get(gone.pid)?.startTime === gone.startTime) continue;
    const heir = used.get(nearestLiving(gone, before ?? now, now));
    if (heir) heir.children = Math.max(0, heir.children - gone.cpu - gone.childrenCpu);
  }
  return used;
}

function nearestLiving(gone: Measured, before: ReadonlyMap<number, Measured>, now: ReadonlyMap<number, Measured>) {
  let { parent } = gone;
  // Bounded, since a pid used again can make a circle of parents.
  for (let generation = 0; generation < 64; generation++) {
    const up = before.get(parent);
    if (!up || now.get(parent)?.startTime === up.startTime) break;
    parent = up.parent;
  }
  return parent;
}

/** Without shareProcessNamespace only our own container's processes are there, all in our own control group. */
function isShared(processes: readonly Measured[]): boolean {
  if (process.env.OUTRIGGER_POD_ID) return true;
  const own = processes.find(({ pid }) => pid === process.pid)?.cgroup;
  return processes.some(({ cgroup }) => cgroup !== own);
}

/**
 * Boot on the clock of the wall, derived from our own start, which we know on both clocks: /proc/uptime may be another
 * (time namespaces, lxcfs).
 */
function bootTimeOf(processes: readonly Measured[]): number {
  const own = processes.find(({ pid }) => pid === process.pid);
  return own ? performance.timeOrigin - (own.startTime / ticksPerSecond) * 1000 : Date.now() - uptime() * 1000;
}

/** Some programs write a whole title, arguments and all, where the program's name belongs. */
const programOf = ([program = '']: readonly string[]) => program.split(/\s/, 1)[0]!.replace(/:$/, '').slice(0, 256);

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
