// Which process is meant by a name.

import { basename } from 'node:path';
import type { PodProcess } from '../processes.ts';
import { scriptOf } from '../script-of.ts';
import { errors } from './errors.ts';

/** The kernel cuts a process name to 15 bytes. */
const longestName = 15;

/**
 * The one process that `wanted` names, or the oldest of a tree of them (a master and its workers). A process has three
 * names: the base name of its first argument, its name in the kernel (which titles such as `nginx: master process` leave
 * alone), and the base name of the script or jar when the program is an interpreter. Never this process, never PID 1 (the
 * pause container of a Pod that shares its process namespace), never one without arguments (a zombie).
 */
export function findProcess(processes: readonly PodProcess[], wanted: string): PodProcess {
  const candidates = processes.filter(({ pid, command }) => pid > 1 && pid !== process.pid && command.length > 0);
  const matching = new Map(candidates.filter((each) => isNamed(each, wanted)).map((each) => [each.pid, each]));
  if (matching.size === 0) throw errors.NOTIFY_PROCESS_NOT_FOUND({ process: wanted, seen: seen(candidates) });
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const oldest = [...matching.values()].filter(({ pid }) => !hasAncestor(pid, { among: matching, parents }));
  if (oldest.length !== 1) throw errors.NOTIFY_PROCESS_AMBIGUOUS({ process: wanted, seen: seen(oldest) });
  return oldest[0]!;
}

function isNamed({ name, command }: PodProcess, wanted: string): boolean {
  const program = basename(command[0] ?? '');
  const full = [program, scriptOf(command)];
  // A login shell is called `-bash`.
  if (full.includes(wanted) || program === `-${wanted}` || name === wanted) return true;
  // A name that was cut counts only where no whole one says otherwise: my-application-server and -worker begin alike.
  const cut = wanted.length > longestName && name === wanted.slice(0, longestName);
  return cut && !full.some((each) => each?.startsWith(name));
}

type Ancestry = { readonly among: ReadonlyMap<number, PodProcess>; readonly parents: ReadonlyMap<number, number> };

function hasAncestor(pid: number, { among, parents }: Ancestry): boolean {
  for (let at = parents.get(pid), depth = 0; at !== undefined && at > 1 && depth < 1000; at = parents.get(at), depth++)
    if (among.has(at)) return true;
  return false;
}

/** What a person would call the process. Its other arguments may hold secrets. */
export function nameOf({ name, command }: PodProcess): string {
  const program = basename(command[0] ?? '').split(' ')[0] || name;
  const script = scriptOf(command);
  return script ? `${program} ${script}` : program;
}

const mostSeen = 20;

function seen(processes: readonly PodProcess[]): string {
  const shown = processes
    .slice(0, mostSeen)
    .map((each) => `${nameOf(each)} (${[each.container, `pid ${each.pid}`].filter(Boolean).join(', ')})`);
  const more = processes.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ') || 'none';
}
