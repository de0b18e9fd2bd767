// What the sidecar's own service answers, in one word.

import { ask } from '../traffic/ask.ts';

/** @param url http, https (any certificate) or tcp. Returns the status, `connected`, or the error's code. */
export async function askTraffic(url: string): Promise<string> {
  const { status, error } = await ask(url, AbortSignal.timeout(5_000));
  return status === undefined ? (error ?? 'connected') : `${status}`;
}
