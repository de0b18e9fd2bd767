// What is written down about one request when it is over: counts, and a line of the access log.

import { performance } from 'node:perf_hooks';
import { type AccessEntry, type AccessOutcome, entryOf } from './access-log.ts';
import { type Answer, answerOf } from './answer.ts';
import type { Refusal } from './http/refusal.ts';
import type { RequestHead } from './http/request-head.ts';
import type { Peer } from './peer.ts';
import type { Traffic } from './traffic.ts';

/** Of bodies, or of a tunnel. */
export type Octets = Pick<AccessOutcome, 'receivedBytes' | 'sentBytes'>;
export type Outcome = Pick<AccessOutcome, 'rule' | 'upstream'> & Octets;

/** Asked only where there is an access log. */
export type Accountable = { readonly outcome: Outcome };

/** Writes down a request that is refused before it is one; returns its answer. @param bodiless nothing of a body is sent */
export function refuseUnread(
  traffic: Traffic,
  { status, reason, detail }: Refusal,
  { entry, bodiless }: { readonly entry: () => AccessEntry; readonly bodiless: boolean },
): Answer {
  const { tally, accessLog } = traffic;
  const answer = answerOf({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
  tally.metrics.refusals.inc({ reason });
  tally.answered(status, 0);
  const sentBytes = bodiless ? 0 : Buffer.byteLength(answer.body);
  if (accessLog.on) accessLog.write(entry(), { status, reason, receivedBytes: 0, sentBytes, milliseconds: 0 });
  return answer;
}

export class Account {
  /** On the clock of deadlines. */
  readonly started: number;
  /** It was written down, and is not to be again. */
  over = false;
  readonly #traffic: Traffic;
  #entry: AccessEntry | undefined;

  constructor(peer: Peer, traffic: Traffic, head: RequestHead, buffer: Buffer) {
    this.started = traffic.now = performance.now();
    this.#traffic = traffic;
    if (traffic.accessLog.on) this.#entry = entryOf(buffer, head, peer);
  }

  /** The application gets this trace context, so it is what the line is to be found by. */
  traced(traceparent: string): void {
    if (this.#entry) this.#entry = { ...this.#entry, traceparent };
  }

  /** @param reason of a refusal, or of what went wrong. */
  answered(status: number, exchange: Accountable, reason?: string): void {
    this.over = true;
    const milliseconds = performance.now() - this.started;
    this.#traffic.tally.answered(status, milliseconds);
    if (this.#entry) this.#log({ status, ...exchange.outcome, milliseconds, ...(reason && { reason }) });
  }

  /** A tunnel begins, which counts as an answer. Its line is written when it has ended: the caller says so once. */
  switched(status: number, { outcome }: Accountable): (octets: Octets) => void {
    this.over = true;
    this.#traffic.tally.answered(status, performance.now() - this.started);
    return (octets) => {
      const milliseconds = performance.now() - this.started;
      if (this.#entry) this.#log({ status, ...outcome, ...octets, milliseconds });
    };
  }

  /** The client went before it had its response. */
  abandoned(exchange: Accountable): void {
    this.over = true;
    this.#traffic.tally.metrics.abandoned.inc();
    const milliseconds = performance.now() - this.started;
    // As nginx has it: the client closed its request.
    if (this.#entry) this.#log({ status: 499, ...exchange.outcome, milliseconds, reason: 'abandoned' });
  }

  #log(outcome: AccessOutcome): void {
    this.#traffic.accessLog.write(this.#entry!, outcome);
  }
}
