// One round of work. What this sidecar is for goes here.

import { publishFile, retry, type StandardValues, type Values } from '@outrigger/core';
import type { parameters } from './parameters.ts';

type Given = Values<typeof parameters> & StandardValues;

/** Rejects with what went wrong; ends at once when the signal aborts. */
export async function work({ from, to, timeout }: Given, signal: AbortSignal): Promise<void> {
  const once = () => fetchRates(from, AbortSignal.any([signal, AbortSignal.timeout(timeout)]));
  const rates = await retry(once, { attempts: 3, backoff: { min: '100ms', max: '2s' }, signal });
  // Written beside the file and renamed over it: the application sees the old rates or the new ones, never half of them.
  await publishFile(to, rates);
}

async function fetchRates(from: URL, signal: AbortSignal): Promise<string> {
  const response = await fetch(from, { signal });
  if (!response.ok) throw new Error(`${from} answered ${response.status}`);
  const rates = await response.text();
  // What the application could not read is not published.
  JSON.parse(rates);
  return rates;
}
