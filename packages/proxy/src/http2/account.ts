// What is written down about one request when it is over: counts, and a line of the access log.

import { performance } from 'node:perf_hooks';
import { type AccessEntry, type AccessOutcome, entryOf } from '../access-log.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Peer } from '../peer.ts';
import type { Rule } from '../routes/rule.ts';
import type { Traffic } from '../traffic.ts';

export type Outcome = Pick<AccessOutcome, 'upstream' | 'reason' | 'receivedBytes' | 'sentBytes'>;

export class Account {
  readonly started: number;
  readonly #traffic: Traffic;
  readonly #rule: Rule;
  readonly #entry: AccessEntry | undefined;

  constructor(peer: Peer, traffic: Traffic, rule: Rule, head: RequestHead, buffer: Buffer) {
    this.started = traffic.now = performance.now();
    this.#traffic = traffic;
    this.#rule = rule;
    if (traffic.accessLog.on) this.#entry = entryOf(buffer, head, peer);
  }

  answered(status: number, outcome: Outcome): void {
    const milliseconds = performance.now() - this.started;
    this.#traffic.tally.answered(status, milliseconds);
    this.#log(status, milliseconds, outcome);
  }

  /** The client went before it had its response. */
  abandoned(outcome: Outcome): void {
    this.#traffic.tally.metrics.abandoned.inc();
    // As nginx has it: the client closed its request.
    this.#log(499, performance.now() - this.started, { ...outcome, reason: 'abandoned' });
  }

  #log(status: number, milliseconds: number, outcome: Outcome): void {
    if (this.#entry)
      this.#traffic.accessLog.write(this.#entry, { status, rule: this.#rule.name, milliseconds, ...outcome });
  }
}
