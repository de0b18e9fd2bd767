// Processes that left their group (daemons) are found by the environment they were born with.

import { readdirSync, readFileSync } from 'node:fs';

/** Kills what is left of a Pod, or of one of its containers. Where there is no /proc, process groups must do. */
export function killStrays(podId: string, container?: string): void {
  const variables = [`OUTRIGGER_POD_ID=${podId}`];
  if (container !== undefined) variables.push(`OUTRIGGER_CONTAINER=${container}`);
  for (const pid of processesWith(...variables)) kill(pid);
}

/** Processes that were born with all these variables, each written `NAME=value`. */
export const processesWith = (...variables: string[]): number[] =>
  processIds().filter((pid) => {
    const environment = environmentOf(pid);
    return variables.every((variable) => environment.includes(variable));
  });

/** Kills a process, or with a negative number a group; it may be gone already. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // EPERM: macOS says so of a group of zombies.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    // Somebody else's, or gone.
    return [];
  }
}
