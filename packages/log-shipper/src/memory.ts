// Near the memory limit nothing is taken up: what is not read is safe where it is.

import { type Memory, pause } from '@outrigger/core';

/** Milliseconds between two looks. */
const interval = 200;

/** Resolves when there is memory again, or the signal aborts. */
export async function untilMemory(memory: Memory, signal: AbortSignal): Promise<void> {
  while (memory.shedding && !signal.aborted) await pause(interval, signal);
}
