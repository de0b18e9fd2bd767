// Counting on the hot path: plain additions, handed to the metrics when somebody scrapes them.

import type { Instruments } from '@outrigger/core';
import { refusals } from './http/refusal.ts';
import type { metrics } from './metrics.ts';
import { refusalsOfClients } from './tls/verdict.ts';

const ofRequests = Object.values(refusals).filter((refusal) => refusal !== refusals.statusLine);
const reasonsOfRefusals = [
  ...ofRequests.map(({ reason }) => reason),
  ...refusalsOfClients,
  ...['denied', 'path', 'http2', 'proxy_header', 'proxy_header_timeout', 'proxy_header_sender'],
];
const reasonsOfErrors = ['connect', 'closed', 'keepalive_race', 'invalid', 'timeout', 'reset', 'unasked'] as const;
export type UpstreamError = (typeof reasonsOfErrors)[number];

export class Tally {
  readonly metrics: Instruments<typeof metrics>;
  readonly #classes = new Float64Array(6);
  readonly #observe: (seconds: number) => void;
  #received = 0;
  #sent = 0;

  constructor(instruments: Instruments<typeof metrics>) {
    this.metrics = instruments;
    this.#observe = instruments.requestDuration.labels().observe;
    // Whoever waits for an increase would miss the event that a series begins with.
    for (const reason of reasonsOfRefusals) instruments.refusals.inc({ reason }, 0);
    for (const reason of reasonsOfErrors) instruments.upstreamErrors.inc({ reason }, 0);
    for (const result of ['used', 'refused']) instruments.certificateReloads.inc({ result }, 0);
  }

  received(octets: number): void {
    this.#received += octets;
  }

  sent(octets: number): void {
    this.#sent += octets;
  }

  answered(status: number, milliseconds: number): void {
    this.#classes[(status / 100) | 0]!++;
    this.#observe(milliseconds / 1000);
  }

  /** Hands over what has been counted since the last time. */
  flush(): void {
    const { requests, received, sent } = this.metrics;
    this.#classes.forEach((count, hundreds) => {
      if (hundreds > 0) requests.inc({ code: `${hundreds}xx` }, count);
    });
    this.#classes.fill(0);
    received.inc(this.#received);
    sent.inc(this.#sent);
    this.#received = this.#sent = 0;
  }
}
