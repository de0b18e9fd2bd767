// Which process is meant by a name.

import { basename } from 'node:path';
import type { PodProcess } from '@outrigger/core';
import { errors } from './errors.ts';

/** The kernel cuts a process name to 15 bytes. */
const longestName = 15;

type Interpreter = {
  readonly program: RegExp;
  /** Options whose value follows as a word of its own, so that it is not taken for the script. */
  readonly withValue?: readonly string[];
  /** What follows one of these is what is run. */
  readonly runs?: readonly string[];
  /** These are followed by code: there is no script. */
  readonly code?: readonly string[];
};

const interpreters: readonly Interpreter[] = [
  {
    program: /^node(?:js)?$/,
    withValue: ['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--title'],
    code: ['-e', '-p', '--eval', '--print'],
  },
  { program: /^(?:bun|deno)$/, withValue: ['-c', '--config'], runs: ['run'], code: ['-e', 'eval'] },
  { program: /^(?:python|pypy)[\d.]*$/, withValue: ['-W', '-X'], runs: ['-m'], code: ['-c'] },
  { program: /^(?:ruby|perl|lua)[\d.]*$/, withValue: ['-I', '-r'], code: ['-e'] },
  { program: /^php[\d.]*$/, withValue: ['-c', '-d'], runs: ['-f'], code: ['-r'] },
  {
    program: /^java$/,
    withValue: [
      '-cp',
      '-classpath',
      '--class-path',
      '-p',
      '--module-path',
      '--add-modules',
      '--add-opens',
      '--add-exports',
    ],
    runs: ['-jar', '-m', '--module'],
  },
  { program: /^(?:ba|da|a|z)?sh$/, withValue: ['-o'], code: ['-c'] },
  { program: /^dotnet$/ },
];

/**
 * The one process that `wanted` names, or the oldest of a tree of them (a master and its workers). A process has three
 * names: the base name of its first argument, its name in the kernel (which titles such as `nginx: master process` leave
 * alone), and the base name of the script or jar when the program is an interpreter. Never this process, never PID 1 (the
 * pause container of a Pod that shares its process namespace), never one without arguments (a zombie).
 */
export function findProcess(processes: readonly PodProcess[], wanted: string): PodProcess {
  const candidates = processes.filter(({ pid, command }) => pid > 1 && pid !== process.pid && command.length > 0);
  const matching = new Map(candidates.filter((each) => isNamed(each, wanted)).map((each) => [each.pid, each]));
  if (matching.size === 0) throw errors.RELOAD_PROCESS_NOT_FOUND({ process: wanted, seen: seen(candidates) });
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const oldest = [...matching.values()].filter(({ pid }) => !hasAncestor(pid, { among: matching, parents }));
  if (oldest.length !== 1) throw errors.RELOAD_PROCESS_AMBIGUOUS({ process: wanted, seen: seen(oldest) });
  return oldest[0]!;
}

export function isNamed({ name, command }: PodProcess, wanted: string): boolean {
  const program = basename(command[0] ?? '');
  // A login shell is called `-bash`.
  if (program === wanted || program === `-${wanted}`) return true;
  if (name === wanted.slice(0, longestName)) return true;
  return scriptOf(command) === wanted;
}

/** The base name of what an interpreter runs, undefined for any other program. */
export function scriptOf([program = '', ...words]: readonly string[]): string | undefined {
  const interpreter = interpreters.find((each) => each.program.test(basename(program)));
  if (!interpreter) return undefined;
  const { withValue = [], runs = [], code = [] } = interpreter;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (code.includes(word)) return undefined;
    if (withValue.includes(word)) at++;
    else if (runs.includes(word) || word === '--') continue;
    else if (!word.startsWith('-')) return basename(word);
  }
  return undefined;
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
