// A control group with a memory limit, of version 1 or 2, where this process may make one.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { formatSize, pause, reasonOf } from '@outrigger/core';
import { kill } from '../run/process/strays.ts';
import { Skip } from './rule.ts';
import type { Surroundings } from './surroundings.ts';

const mount = '/sys/fs/cgroup';

export type LimitedGroup = AsyncDisposable & {
  readonly inside: Surroundings;
  /** Whether the kernel has killed something in it for want of memory. */
  killed(): boolean;
};

/** @param bytes what `resources.limits.memory` would say */
export function limitMemory(scratch: string, bytes: number): LimitedGroup {
  const name = basename(scratch);
  const { directory, limit, swap, events } = makeGroup(name, bytes);
  const procs = join(directory, 'cgroup.procs');
  try {
    writeFileSync(join(directory, limit), String(bytes));
    // Not every kernel accounts for swap.
    writeIfThere(join(directory, swap.file), String(swap.bytes));
  } catch (error) {
    rmdirSync(directory);
    throw new Skip(`The memory of a control group cannot be limited: ${reasonOf(error)}`);
  }
  return {
    inside: {
      before: async () => ['sh', '-c', 'echo $$ >"$1" && shift && exec "$@"', 'sh', procs],
    },
    killed: () => /^oom_kill [1-9]/m.test(readFileSync(join(directory, events), 'latin1')),
    [Symbol.asyncDispose]: () => remove(directory),
  };
}

/** Beside our own group, for under version 2 a group that holds processes has no limited children. */
function makeGroup(name: string, bytes: number) {
  const own = readFileSync('/proc/self/cgroup', 'latin1');
  const first = /^\d+:(?:[\w,]+,)?memory(?:,[\w,]+)?:(.*)$/m.exec(own)?.[1];
  if (first !== undefined)
    return {
      directory: make(join(mount, 'memory', first), name),
      limit: 'memory.limit_in_bytes',
      swap: { file: 'memory.memsw.limit_in_bytes', bytes },
      events: 'memory.oom_control',
    };
  const second = /^0::(.*)$/m.exec(own)?.[1];
  if (second === undefined) throw new Skip('There are no control groups');
  return {
    directory: make(join(mount, dirname(second)), name),
    limit: 'memory.max',
    swap: { file: 'memory.swap.max', bytes: 0 },
    events: 'memory.events',
  };
}

function make(parent: string, name: string): string {
  const directory = join(parent, name);
  try {
    mkdirSync(directory);
  } catch (error) {
    throw new Skip(`No control group can be made: ${reasonOf(error)}`);
  }
  return directory;
}

function writeIfThere(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** With all that is in it: what is killed leaves its group a moment later. */
async function remove(directory: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const pids = readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean);
    for (const pid of pids) kill(Number(pid));
    try {
      return rmdirSync(directory);
    } catch (error) {
      if (attempt === 50) throw error;
      await pause(20);
    }
  }
}

export const sayLimit = (bytes: number): string => `a memory limit of ${formatSize(bytes)}`;
