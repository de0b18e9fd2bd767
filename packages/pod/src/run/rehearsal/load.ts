// A steady load from ready to the end, and what became of each request, by phase of the Pod's end.

import { pause } from '@outrigger/core';
import { type Asked, ask } from '../../traffic/ask.ts';

// Fifty a second: enough to be at work at every moment of the end, and little enough to slow nothing down.
const periodMilliseconds = 20;
const mostOpen = 64;

// How long a request may hang that nobody can answer any more.
const patienceMilliseconds = 1_000;

/** In milliseconds since the end began. */
type Request = Asked & { readonly sentAt: number; readonly endedAt: number };

export class Load {
  readonly #url: string;
  readonly #requests: Request[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#send(), periodMilliseconds);
  }

  #send(): void {
    if (this.#open.size >= mostOpen) return;
    const sentAt = performance.now();
    const asked = ask(this.#url, this.#over.signal).then((answer) => {
      this.#requests.push({ ...answer, sentAt, endedAt: performance.now() });
      this.#open.delete(asked);
    });
    this.#open.add(asked);
  }

  /** Resolves with all requests when the last is over. @param since what a time of performance.now() is since the end began. */
  async stop(since: (at: number) => number): Promise<readonly Request[]> {
    clearInterval(this.#timer);
    const all = Promise.all(this.#open);
    const answered = new AbortController();
    await Promise.race([all, pause(patienceMilliseconds, answered.signal)]);
    answered.abort();
    this.#over.abort();
    await all;
    return this.#requests.map(({ sentAt, acceptedAt, endedAt, ...answer }) => ({
      ...answer,
      sentAt: since(sentAt),
      acceptedAt: acceptedAt === undefined ? undefined : since(acceptedAt),
      endedAt: since(endedAt),
    }));
  }
}

/** What tells what a failed request means, in milliseconds since the end began. */
export type Moments = {
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
 * application was told to end: it still worked. To be turned away after that, or by 503 at any time, is to be refused.
 */
function outcomeOf({ acceptedAt, status, error, sentAt, endedAt }: Request, { told, gone }: Moments): Outcome {
  const answered = error === undefined && (status === undefined || status < 500);
  if (answered) return 'answered';
  // Nobody was left who could have answered.
  if (status === 503 || sentAt >= gone) return 'refused';
  if (error !== undefined) return acceptedAt !== undefined || endedAt < told ? 'lost' : 'refused';
  // A gateway that says that the application did not answer.
  if (status !== 502 && status !== 504) return 'failed';
  if (acceptedAt === undefined || acceptedAt >= told) return 'refused';
  return endedAt >= told ? 'lost' : 'failed';
}

const phases = ['serving', 'preStop', 'application ends', 'sidecars end'] as const;

const phaseOf = ({ sentAt }: Request, { told, gone }: Moments): PhaseRow['phase'] =>
  sentAt < 0 ? 'serving' : sentAt < told ? 'preStop' : sentAt < gone ? 'application ends' : 'sidecars end';

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
