// How long a process was ready to run and was not let: what a busy machine takes from a test must not be taken for slowness
// of the program under test.

import { readFileSync } from 'node:fs';

/** Milliseconds so far that the main thread has waited for a processor. */
export function waitedForProcessor(pid: number): number {
  const [, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ');
  return Number(waited) / 1e6;
}
