// Processes of containers as this machine sees them.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Of the process with all namespaces taken into account: here, and innermost. */
export type Pids = { readonly here: number; readonly inside: number };

/** All processes in the process namespace of `pid`. */
export function processesBeside(pid: number): Pids[] {
  const namespace = namespaceOf(String(pid));
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && namespaceOf(name) === namespace);
  return pids.flatMap((name) => {
    const inside = statusOf(Number(name)).NSpid?.at(-1);
    return inside === undefined ? [] : [{ here: Number(name), inside: Number(inside) }];
  });
}

/** The program that a container runs; where its first process is an init for it, the init's child. */
export function programOf(pid: number): number {
  if (statusOf(pid).Name?.[0] !== 'tini') return pid;
  const child = processesBeside(pid).find(({ here }) => statusOf(here).PPid?.[0] === String(pid));
  if (!child) throw new Error(`the init ${pid} has no child`);
  return child.here;
}

/** Bytes that nobody else has in memory, and the share of what others have too. */
export function memoryOf(pid: number): { readonly private: number; readonly proportional: number } {
  const fields = fieldsOf(readProc(`${pid}/smaps_rollup`));
  const bytes = (name: string) => Number(fields[name]?.[0] ?? 0) * 1024;
  return { private: bytes('Private_Clean') + bytes('Private_Dirty'), proportional: bytes('Pss') };
}

/** /proc/<pid>/status, field by field; nothing of a process that has ended. */
export const statusOf = (pid: number) => fieldsOf(readProc(`${pid}/status`));

const fieldsOf = (text: string): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name!, value!.split(/\s+/)]));

const namespaceOf = (pid: string) => ifThere(() => readlinkSync(`/proc/${pid}/ns/pid`));
const readProc = (file: string) => ifThere(() => readFileSync(`/proc/${file}`, 'utf8'));

function ifThere(read: () => string): string {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It has ended, or is nobody's business.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
