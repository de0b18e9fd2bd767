// Counting on the hot path: plain additions, handed to the metrics when somebody scrapes them.

import type { Instruments } from '@outrigger/core';
import type { metrics } from './metrics.ts';

export class Tally {
  readonly metrics: Instruments<typeof metrics>;
  readonly #classes = new Float64Array(6);
  readonly #observe: (seconds: number) => void;
  #received = 0;
  #sent = 0;

  constructor(instruments: Instruments<typeof metrics>) {
    this.metrics = instruments;
    this.#observe = instruments.requestDuration.labels().observe;
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
      if (count > 0) requests.inc({ code: `${hundreds}xx` }, count);
    });
    this.#classes.fill(0);
    received.inc(this.#received);
    sent.inc(this.#sent);
    this.#received = this.#sent = 0;
  }
}
