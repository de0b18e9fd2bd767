// A control group with a memory limit, for a test of what a sidecar does near it. Needs root and a writable controller.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

export type MemoryLimit = AsyncDisposable & {
  /** Puts a process, and what it starts from then on, under the limit. */
  add(pid: number): void;
  /**
   * Starts a process in the group that holds memory until the group uses this part of its limit; the memory is free again
   * once what it returns is disposed.
   */
  fill(fraction: number): Promise<AsyncDisposable>;
  /** How often the kernel has killed for want of memory. */
  readonly kills: number;
};

/** @returns the reason when this machine or user cannot make one; a test says it when it is skipped. */
export function limitMemory(bytes: number): MemoryLimit | string {
  const groups = readFileSync('/proc/self/cgroup', 'latin1');
  const one = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  const two = /^0::(.*)$/m.exec(groups)?.[1];
  const [parent, file] =
    one === undefined
      ? [join('/sys/fs/cgroup', two ?? '/'), 'memory.max']
      : [join('/sys/fs/cgroup/memory', one), 'memory.limit_in_bytes'];
  const directory = join(parent, `outrigger-test-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(directory);
  } catch (error) {
    return `no memory control group can be made: ${(error as Error).message}`;
  }
  try {
    writeFileSync(join(directory, file), String(bytes));
  } catch (error) {
    rmdirSync(directory);
    return `the memory of a control group cannot be limited: ${(error as Error).message}`;
  }
  const used = join(directory, one === undefined ? 'memory.current' : 'memory.usage_in_bytes');
  const add = (pid: number) => writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  return {
    add,
    async fill(fraction) {
      // It starts to fill when it is told to, and by then it is in the group.
      const child = spawn(process.execPath, ['-e', hog, used, String(bytes * fraction)], { stdio: 'pipe' });
      add(child.pid!);
      child.stdin.write('fill\n');
      await Promise.race([
        once(child.stdout, 'data'),
        once(child, 'exit').then(() => Promise.reject(new Error('the process that fills the memory ended'))),
      ]);
      return { [Symbol.asyncDispose]: () => end(child) };
    },
    get kills() {
      const events = readFileSync(
        join(directory, one === undefined ? 'memory.events' : 'memory.oom_control'),
        'latin1',
      );
      return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
    },
    async [Symbol.asyncDispose]() {
      // It is busy for a moment after its last process has ended.
      await until(
        () => {
          try {
            rmdirSync(directory);
            return true;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
            return false;
          }
        },
        { what: `the processes in ${directory} to end` },
      );
    },
  };
}

const hog = `
  const { readFileSync } = require('node:fs');
  const [used, wanted] = process.argv.slice(1);
  const held = [];
  process.stdin.once('data', () => {
    while (Number(readFileSync(used, 'latin1')) < Number(wanted)) held.push(Buffer.alloc(262144, 1));
    process.stdout.write('full');
  });
`;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
