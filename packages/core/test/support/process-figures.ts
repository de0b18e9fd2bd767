// What the kernel says about a process. Linux.

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';

const kibibytes = (pid: number, name: string) =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

/** From now on, how many megabytes of memory the process has come to use at most in addition. */
export function memoryWatch(pid: number): () => number {
  // 5 resets the highest value so far.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = kibibytes(pid, 'VmRSS');
  return () => (kibibytes(pid, 'VmHWM') - before) / 1024;
}

/** How many sockets it has open, its listener among them. */
export function openSockets(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  const targets = readdirSync(directory).map((name) => {
    try {
      return readlinkSync(`${directory}/${name}`);
    } catch {
      // Closed since.
      return '';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}
