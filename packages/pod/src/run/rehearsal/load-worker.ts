// The load itself, on a thread of its own: starting programs holds up the main one just when the end begins.

import { parentPort, workerData } from 'node:worker_threads';
import { pause } from '@outrigger/core';
import { ask } from '../../traffic/ask.ts';

/** What became of one request. Times in milliseconds since the epoch, for two threads have two clocks. */
export type Request = {
  /** Somebody took the connection; under TLS, the handshake was done too. */
  readonly accepted: boolean;
  /** When the request could be sent: it was accepted. Else when that was tried. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly status: number | undefined;
  readonly error: string | undefined;
};

// Fifty a second: enough to be at work at every moment of the end, and little enough to slow nothing down.
const periodMilliseconds = 20;
const mostOpen = 64;

// How long a request may hang when nobody is left to answer it.
const patienceMilliseconds = 1_000;

const url = workerData as string;
const requests: Request[] = [];
const open = new Set<Promise<void>>();
const over = new AbortController();
const now = () => performance.timeOrigin + performance.now();

function send(): void {
  if (open.size >= mostOpen) return;
  const triedAt = now();
  const asked = ask(url, over.signal).then(({ acceptedAt, status, error }) => {
    const accepted = acceptedAt !== undefined;
    const sentAt = accepted ? performance.timeOrigin + acceptedAt : triedAt;
    requests.push({ accepted, sentAt, endedAt: now(), status, error });
    open.delete(asked);
  });
  open.add(asked);
}

const timer = setInterval(send, periodMilliseconds);
send();
parentPort?.postMessage('started');

parentPort?.once('message', async () => {
  clearInterval(timer);
  const all = Promise.all(open);
  const answered = new AbortController();
  await Promise.race([all, pause(patienceMilliseconds, answered.signal)]);
  answered.abort();
  over.abort();
  await all;
  parentPort?.postMessage(requests);
});
