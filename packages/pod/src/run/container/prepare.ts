// From a container to the programs that stand for it on this machine.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ContainerEntry } from '../../manifest/containers.ts';
import { environmentOf } from '../../manifest/environment.ts';
import { expand } from '../../manifest/expand.ts';
import { programOf } from '../../manifest/toolkit.ts';
import type { PodContext } from '../context.ts';
import type { Program } from '../process/launch.ts';
import { rewriter } from '../volume/rewrite.ts';

export type Prepared = {
  readonly program: Program;
  /** The program for a command of an exec probe or hook. */
  command(words: readonly string[]): Program;
};

/** Rejects with an Error that says what is missing. */
export async function prepare(entry: ContainerEntry, context: PodContext): Promise<Prepared> {
  const { container } = entry;
  const { pod, objects, identity, volumes, overrides } = context;
  const { values, unresolved } = environmentOf(entry, { ...objects, pod, identity });
  if (unresolved.length > 0) throw new Error(unresolved.map(({ reason }) => reason).join('; '));
  const rewrite = rewriter(await volumes.mount(container, values));
  const given = overrides.get(entry.name) ?? {};
  const env = {
    ...inherited(process.env),
    HOSTNAME: pod.metadata?.name ?? '',
    OUTRIGGER_TERMINATION_MESSAGE_FILE: await emptyMessage(entry, context),
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rewrite(value)])),
    ...given,
    OUTRIGGER_POD_ID: identity.uid,
    OUTRIGGER_CONTAINER: entry.name,
  };
  const directory = container.workingDir && rewrite(container.workingDir);
  // A working directory of the image's own means nothing here.
  const cwd = directory && directory !== container.workingDir ? directory : context.home;
  const asProgram = (words: readonly string[]): Program => {
    const program = programFor(entry, words.map(rewrite));
    return { ...program, env: program.file === process.execPath ? { ...context.programEnv, ...env } : env, cwd };
  };

  if (entry.local !== undefined) {
    const line = rewrite(entry.local);
    const around = { env, cwd: context.home };
    // Of a sidecar that a user wrote, `sidecar` in probes and hooks is that very program.
    const own = shell(`${line.trim()} "$@"`);
    const command = ([word = '', ...rest]: readonly string[]): Program =>
      word === 'sidecar' ? { ...own, args: [...own.args, 'sh', ...rest], ...around } : asProgram([word, ...rest]);
    return { program: { ...shell(line), ...around }, command };
  }
  const visible = { ...values, ...given };
  const words = [...(container.command ?? ['sidecar']), ...(container.args ?? [])].map((word) => expand(word, visible));
  return { program: asProgram(words), command: asProgram };
}

function programFor({ role }: ContainerEntry, [file = '', ...args]: readonly string[]): Pick<Program, 'file' | 'args'> {
  if (role && file === 'sidecar') return { file: process.execPath, args: [programOf(role), ...args] };
  return { file, args };
}

const assignment = /^\s*\w+=/;
const builtin =
  /^\s*(?:[.:]\s|(?:alias|cd|command|eval|exec|exit|export|read|return|set|trap|type|ulimit|umask|unset|wait)\b)/;

/** A single command takes the shell's place, so that signals reach it and not the shell. */
function shell(line: string): Pick<Program, 'file' | 'args'> {
  const several = /[;&|<>()`\n]/.test(line);
  const inShell = assignment.test(line) || builtin.test(line);
  return { file: 'sh', args: ['-c', several || inShell ? line : `exec ${line.trim()}`] };
}

// A container would not have these; a program run by git, npm or another Pod would be led astray by them.
const foreign = /^(?:OUTRIGGER_|GIT_|GITSYNC_|npm_|INIT_CWD$|NODE_CHANNEL_)/;

function inherited(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !foreign.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** As the kubelet does: there before the container starts, and new for each of its lives. */
async function emptyMessage({ name }: ContainerEntry, { lastWords }: PodContext): Promise<string> {
  await mkdir(lastWords, { recursive: true });
  const file = join(lastWords, name);
  await writeFile(file, '');
  return file;
}

/** The directory of the manifest, where local commands run. */
export const homeOf = (file: string): string => resolve(join(file, '..'));
