// git processes of a sidecar, found as the kernel lists them.

import { readdir, readFile } from 'node:fs/promises';

export type GitProcess = { readonly pid: string; readonly line: string };

/** Those that were started for this root, without the shell that is kept for polling. */
export async function gitProcesses(root: string): Promise<GitProcess[]> {
  const found: GitProcess[] = [];
  for (const pid of await readdir('/proc')) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`OUTRIGGER_GIT_ROOT=${root}`)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line !== '' && !line.startsWith('sh\0')) found.push({ pid, line: line.replaceAll('\0', ' ') });
  }
  return found;
}
