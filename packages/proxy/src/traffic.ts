// What all connections share: the clock for their deadlines, the counts, where requests go, and whether it is time to go.

import { performance } from 'node:perf_hooks';
import type { Log, Memory, Values } from '@outrigger/core';
import type { Connection, ConnectionState } from './connection.ts';
import { errors } from './errors.ts';
import type { parameters } from './parameters.ts';
import type { Pool } from './pool.ts';
import type { Route } from './route.ts';
import type { Tally } from './tally.ts';

// Deadlines are looked at this often: one timer for all connections instead of one for each.
const tick = 100;

// Bytes that a busy client with TLS, its upstream connection and what is on its way between them take.
const connectionCost = 64 * 1024;

export type TrafficOptions = {
  readonly parameters: Values<typeof parameters>;
  readonly tally: Tally;
  readonly log: Log;
  readonly memory: Memory;
  readonly pool: Pool;
  readonly route: Route;
};

export class Traffic {
  readonly parameters: Values<typeof parameters>;
  readonly tally: Tally;
  readonly log: Log;
  readonly route: Route;
  readonly pool: Pool;
  /** How many clients there may be: as declared, or as many as the memory allows. */
  readonly connectionLimit: number;
  readonly clients = new Set<Connection>();
  /** Milliseconds on the monotonic clock, as of the last request or tick. */
  now = performance.now();
  /** For want of memory new requests are refused and new connections closed, until those under way have given theirs back. */
  shedding = false;
  /** Responses say that the connection closes after them. */
  leaving = false;
  /** No connection outlives the request it is busy with. */
  draining = false;
  readonly #memory: Memory;
  #timer: NodeJS.Timeout | undefined;
  #empty: (() => void) | undefined;

  constructor({ parameters, tally, log, memory, pool, route }: TrafficOptions) {
    this.parameters = parameters;
    this.tally = tally;
    this.log = log;
    this.#memory = memory;
    this.connectionLimit = Math.min(parameters.connectionLimit, Math.ceil(memory.share(1) / connectionCost));
    this.pool = pool;
    this.route = route;
  }

  /** Clients by what they are doing. */
  get counts(): Readonly<Record<ConnectionState, number>> {
    const counts = { idle: 0, reading: 0, active: 0, tunnel: 0, closing: 0 };
    for (const { state } of this.clients) counts[state]++;
    return counts;
  }

  enter(make: () => Connection): void {
    this.now = performance.now();
    this.clients.add(make());
    // An idle sidecar does not wake up.
    this.#timer ??= setInterval(() => this.#look(), tick).unref();
    this.tally.metrics.connections.inc();
  }

  leave(client: Connection): void {
    this.clients.delete(client);
    if (this.clients.size === 0) this.#empty?.();
  }

  #look(): void {
    this.now = performance.now();
    this.shedding = this.#memory.shedding;
    for (const client of this.clients) if (client.deadline <= this.now) client.onDeadline();
    const pooled = this.pool.sweep(this.now);
    if (this.clients.size > 0 || pooled || this.shedding) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves when the last client is gone: idle ones at once, the others after their response. */
  async drain(): Promise<void> {
    this.leaving = this.draining = true;
    this.now = performance.now();
    for (const client of this.clients) client.drain();
    if (this.clients.size === 0) return;
    this.log.info(errors.PROXY_DRAIN({ requests: this.counts.active, tunnels: this.counts.tunnel }));
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
  }
}
