// A steady load from ready to the end, and what became of each request, by phase of the Pod's end.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Request } from './load-worker.ts';

export class Load {
  readonly #url: string;
  #worker: Worker | undefined;
  #started: Promise<unknown> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when the first request is under way. */
  async start(): Promise<void> {
    this.#worker = new Worker(new URL('./load-worker.ts', import.meta.url), { workerData: this.#url });
    this.#started = once(this.#worker, 'message');
    await this.#started;
  }

  /** Resolves with all requests when the last is over. */
  async stop(): Promise<readonly Request[]> {
    if (!this.#worker) return [];
    await this.#started;
    const told = once(this.#worker, 'message');
    this.#worker.postMessage('stop');
    const [requests] = (await told) as [Request[]];
    await this.#worker.terminate();
    return requests;
  }
}

/** What tells what a failed request means, in milliseconds since the epoch. */
export type Moments = {
  readonly begun: number;
  /** The first application was told to end. */
  readonly told: number;
  /** The last application was gone. */
  readonly gone: number;
};

export type PhaseRow = {
  /** When its requests were sent. */
  readonly phase: 'serving' | 'preStop' | 'application ends' | 'sidecars end';
  readonly sent: number;
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly lost: number;
  /** Of those that were not answered: how often for which reason, as `refused: HTTP 503`, `lost: ECONNRESET`. */
  readonly reasons: Readonly<Record<string, number>>;
};

type Outcome = 'answered' | 'refused' | 'failed' | 'lost';

/**
 * Lost is a request that was accepted and then broken, whoever broke it, and one that was turned away before the
 * application was told to end: it still worked. To be turned away after that, or by 503 at any time, is to be refused;
 * a listener that closes does so by a reset, to what waits in its queue.
 */
function outcomeOf({ accepted, status, error, sentAt, endedAt }: Request, { told, gone }: Moments): Outcome {
  const answered = error === undefined && (status === undefined || status < 500);
  if (answered) return 'answered';
  // Nobody was left who could have answered.
  if (status === 503 || sentAt >= gone) return 'refused';
  if (error !== undefined) {
    const accepting = accepted && (sentAt < told || status !== undefined);
    return accepting || endedAt < told ? 'lost' : 'refused';
  }
  // A gateway that says that the application did not answer.
  if (status !== 502 && status !== 504) return 'failed';
  if (sentAt >= told) return 'refused';
  return endedAt >= told ? 'lost' : 'failed';
}

const phases = ['serving', 'preStop', 'application ends', 'sidecars end'] as const;

const phaseOf = ({ sentAt }: Request, { begun, told, gone }: Moments): PhaseRow['phase'] =>
  sentAt < begun ? 'serving' : sentAt < told ? 'preStop' : sentAt < gone ? 'application ends' : 'sidecars end';

/** One row for each phase, in their order. */
export function tabulate(requests: readonly Request[], moments: Moments): PhaseRow[] {
  const rows = phases.map((phase) => ({
    ...{ phase, sent: 0, answered: 0, refused: 0, failed: 0, lost: 0 },
    reasons: {} as Record<string, number>,
  }));
  for (const request of requests) {
    const row = rows[phases.indexOf(phaseOf(request, moments))]!;
    row.sent++;
    const outcome = outcomeOf(request, moments);
    row[outcome]++;
    if (outcome === 'answered') continue;
    const reason = `${outcome}: ${request.error ?? `HTTP ${request.status}`}`;
    row.reasons[reason] = (row.reasons[reason] ?? 0) + 1;
  }
  return rows;
}
