// One round of work. What this sidecar is for goes here.

import type { StandardValues, Values } from '@outrigger/core';
import type { parameters } from './parameters.ts';

type Given = Values<typeof parameters> & StandardValues;

/** Rejects with what went wrong; ends at once when the signal aborts. */
export async function work(_parameters: Given, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
}
