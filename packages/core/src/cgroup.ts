// What the control group allows and what it uses, as the kernel says it in version 1 and in version 2.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type CgroupMemory = {
  /** Bytes; the least of this group's limit and those above it. undefined when there is none. */
  readonly limit: number | undefined;
  /** Bytes that cannot be had back without swapping or killing: files that were read and are not in use do not count. */
  readonly used: number;
  readonly version: 1 | 2;
};

/** Where the kernel shows it; a test lays out another directory. */
export type Roots = { readonly proc: string; readonly cgroup: string };
const kernel: Roots = { proc: '/proc/self', cgroup: '/sys/fs/cgroup' };

type Layout = {
  readonly version: 1 | 2;
  readonly mount: string;
  readonly limit: string;
  readonly used: string;
  /** The line of memory.stat with pages of files that the kernel would give up first. */
  readonly inactive: RegExp;
};

const layouts = ({ cgroup }: Roots): Layout[] => [
  {
    version: 2,
    mount: cgroup,
    limit: 'memory.max',
    used: 'memory.current',
    inactive: /^inactive_file (\d+)$/m,
  },
  {
    version: 1,
    mount: join(cgroup, 'memory'),
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    inactive: /^total_inactive_file (\d+)$/m,
  },
];

/**
 * undefined where the kernel has no memory controller to show (not Linux, or not mounted).
 * @param exactFrom below this part of the limit `used` may be more than it is: what can be dropped is not asked for. That
 * is nine tenths of what this costs, for the kernel adds it up over all processors.
 */
export function readCgroupMemory(roots: Roots = kernel, exactFrom = 0): CgroupMemory | undefined {
  const groups = read(join(roots.proc, 'cgroup'));
  if (groups === undefined) return undefined;
  for (const layout of layouts(roots)) {
    const path = groupOf(groups, layout.version);
    if (path === undefined) continue;
    // Without a control group namespace a container sees the host's path, which its own mount does not have.
    const look = (directory: string) => readGroup(directory, layout, exactFrom);
    const found = look(join(layout.mount, path)) ?? look(layout.mount);
    if (found) return found;
  }
  return undefined;
}

/** `0::/kubepods/pod1` in version 2, `4:memory:/kubepods/pod1` in version 1. */
const groupOf = (groups: string, version: 1 | 2): string | undefined =>
  (version === 2 ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m).exec(groups)?.[1];

function readGroup(directory: string, layout: Layout, exactFrom: number): CgroupMemory | undefined {
  const { version, mount, inactive } = layout;
  const current = Number(read(join(directory, layout.used)) ?? Number.NaN);
  if (!Number.isFinite(current)) return undefined;
  const limit = leastLimit(directory, mount, layout.limit);
  if (exactFrom > 0 && current <= exactFrom * (limit ?? Number.POSITIVE_INFINITY))
    return { version, limit, used: current };
  const idle = Number(inactive.exec(read(join(directory, 'memory.stat')) ?? '')?.[1] ?? 0);
  return { version, limit, used: Math.max(0, current - idle) };
}

// "max", and what version 1 writes for none: the largest multiple of a page that fits in 63 bits.
const isLimit = (bytes: number) => Number.isFinite(bytes) && bytes < 2 ** 60;

function leastLimit(directory: string, mount: string, file: string): number | undefined {
  let least: number | undefined;
  for (let at = directory; at.startsWith(mount); at = dirname(at)) {
    const bytes = Number(read(join(at, file)) ?? Number.NaN);
    if (isLimit(bytes)) least = Math.min(least ?? bytes, bytes);
  }
  return least;
}

/** Small files that the kernel makes up as they are read: this does not wait for a disk. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    // Not there in this version, or not for us: the next place is tried.
    return undefined;
  }
}
