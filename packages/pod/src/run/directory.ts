// The directory of one run. It is gone when the run is, and taken over when its run died without a word.

import { readFileSync, rmSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killStrays } from './process/strays.ts';

export type RunDirectory = Disposable & { readonly path: string; join(...parts: string[]): string };

type Owner = { readonly pid: number; readonly startTime: string; readonly podId: string };

/** `${TMPDIR:-/tmp}/outrigger-<pod name>`, or one with a suffix while another run of the same Pod is alive. */
export async function openRunDirectory(podName: string, podId: string): Promise<RunDirectory> {
  const wanted = join(tmpdir(), `outrigger-${podName}`);
  const path = (await claim(wanted)) ? wanted : await mkdtemp(`${wanted}-`);
  const owner: Owner = { pid: process.pid, startTime: startTimeOf(process.pid), podId };
  await writeFile(join(path, 'owner.json'), JSON.stringify(owner));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function claim(path: string): Promise<boolean> {
  if (await make(path)) return true;
  const owner = await deadOwner(path);
  if (!owner) return false;
  killStrays(owner.podId);
  // Renamed first: of two runs that find the same dead one, one takes it over.
  const grave = `${path}.${process.pid}`;
  if (!(await rename(path, grave).then(yes, no))) return false;
  rmSync(grave, { recursive: true, force: true });
  return make(path);
}

const yes = () => true;
const no = () => false;

async function make(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who made the directory, if it was a run of ours that is no more. Anything doubtful is left alone. */
async function deadOwner(path: string): Promise<Owner | undefined> {
  try {
    const status = await lstat(path);
    if (!status.isDirectory() || status.uid !== process.getuid?.()) return undefined;
    const owner = JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as Owner;
    return isAlive(owner) ? undefined : owner;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startTime }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return startTimeOf(pid) === startTime;
}

/** Tells a process from a later one with the same number; '' where there is no /proc. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
