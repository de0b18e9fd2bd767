// git processes of a sidecar, found as the kernel lists them.

import { readdir, readFile } from 'node:fs/promises';

/** Command lines of the processes that were started for this root. */
export async function gitProcesses(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`OUTRIGGER_GIT_ROOT=${root}`)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line !== '') found.push(line.replaceAll('\0', ' '));
  }
  return found;
}
