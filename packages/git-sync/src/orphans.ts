// git processes that a killed sidecar left behind: they would write to the repository that is being put in order.

import { readdir, readFile } from 'node:fs/promises';
import { rootVariable } from './git.ts';

/** Ends every git that was started for this root. Only for the one that has claimed it. */
export async function endOrphans(root: string): Promise<number> {
  let ended = 0;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    // Processes of other users cannot be read, nor are they ours.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`${rootVariable}=${root}`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
      ended++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return ended;
}
