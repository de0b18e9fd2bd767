// The connections to one endpoint: those in use, and idle ones that the next request may take.

import { performance } from 'node:perf_hooks';
import type { Fault, Log } from '@outrigger/core';
import type { UpstreamAddress } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import { errors } from './errors.ts';
import { KeepAlive } from './keep-alive.ts';
import { Seldom } from './seldom.ts';
import type { Tally, UpstreamError } from './tally.ts';
import { type Keeper, Upstream, type UpstreamUser } from './upstream.ts';

// A request that must not be sent twice takes only a connection that was used just now.
const unsafeIdle = 500;
const mostIdle = 256;

export type PoolOptions = {
  readonly address: UpstreamAddress;
  readonly protocol: Endpoint['protocol'];
  /** How the endpoint is written in logs. */
  readonly name: string;
  /** Milliseconds a connection may be idle and still be used. */
  readonly idleTimeout: () => number;
  /** Whether a new connection may take larger pieces at once. */
  readonly roomy: () => boolean;
  readonly tally: Tally;
  readonly log: Log;
};

export class Pool implements Keeper {
  readonly name: string;
  readonly address: UpstreamAddress;
  /** Host field for clients that send none. */
  readonly host: string;
  readonly #options: PoolOptions;
  /** Longest idle first. */
  readonly #idle: Upstream[] = [];
  readonly #all = new Set<Upstream>();
  #waiting: Upstream[] = [];
  #down = false;
  #retired = false;
  /** No connection has ever come up: the application is still on its way. */
  starting = true;
  readonly #keepAlive = new KeepAlive();
  readonly #seldom: Seldom;
  readonly #flush = () => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) connection.flush();
  };

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#seldom = new Seldom(options.log);
    this.name = options.name;
    this.address = options.address;
    this.host = 'path' in options.address ? 'localhost' : options.name;
  }

  get counts(): { readonly active: number; readonly idle: number } {
    return { active: this.#all.size - this.#idle.length, idle: this.#idle.length };
  }

  /** An idle connection, the latest used first, or a new one. @param repeatable the request may be sent twice. */
  take(user: UpstreamUser, repeatable: boolean): Upstream {
    const connection = this.#idle.pop();
    if (!connection) return this.connect(user);
    const allowed = this.idleTimeout;
    if (performance.now() - connection.idleSince < (repeatable ? allowed : Math.min(allowed, unsafeIdle))) {
      connection.use(user);
      return connection;
    }
    // All others are idle for longer; what is too old for this request alone stays for others.
    this.#idle.push(connection);
    return this.connect(user);
  }

  /** Milliseconds an idle connection may be used again: what is known of the application comes before what is assumed. */
  get idleTimeout(): number {
    return this.#keepAlive.limit(this.#options.idleTimeout());
  }

  /** @param seconds of the response's `Keep-Alive: timeout=`. */
  learn(seconds: number): void {
    this.#keepAlive.told(seconds * 1000);
  }

  /** A connection ended before anything of a response was there. @param taken when a request took it */
  lostRace({ idleSince }: Upstream, taken: number): void {
    this.#keepAlive.sawRace(taken - idleSince, performance.now() - taken);
  }

  connect(user: UpstreamUser): Upstream {
    const connection = new Upstream(this.#options.address, this, user, this.#options.roomy());
    this.#all.add(connection);
    this.#options.tally.metrics.upstreamConnections.inc();
    return connection;
  }

  /** Takes back a connection whose request and response are both complete. */
  give(connection: Upstream): void {
    connection.leave();
    // Paused by a slow client, it would not notice its end.
    connection.resume();
    connection.idleSince = performance.now();
    if (this.#idle.length < mostIdle && !this.#retired) this.#idle.push(connection);
    else connection.destroy();
  }

  /** Closes what has been idle for too long. Returns whether anything is left. */
  sweep(now: number): boolean {
    const oldest = now - this.idleTimeout;
    while (this.#idle.length > 0 && this.#idle[0]!.idleSince <= oldest) {
      this.#idle.shift()!.destroy();
      this.#keepAlive.survived();
    }
    return this.#idle.length > 0;
  }

  afterPoll(connection: Upstream): void {
    if (this.#waiting.push(connection) === 1) setImmediate(this.#flush);
  }

  onConnected(): void {
    if (this.#down) this.#options.log.info('The application answers again', { upstream: this.name });
    this.#down = this.starting = false;
  }

  onFailed(error: NodeJS.ErrnoException): void {
    // Said once per outage: while it lasts, each request would say it again.
    if (!this.#down) this.#options.log.warn(errors.PROXY_UPSTREAM_DOWN({ upstream: this.name }, error));
    this.#down = true;
  }

  onGone(connection: Upstream, unasked: boolean): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) {
      this.#idle.splice(at, 1);
      if (!unasked) this.#keepAlive.sawEnd(performance.now() - connection.idleSince);
    }
    this.#all.delete(connection);
    if (unasked) this.complain('unasked', errors.PROXY_UPSTREAM_UNASKED({ upstream: this.name }));
  }

  /** Counts a failure of the application and logs it, but the same reason only now and then. */
  complain(reason: UpstreamError, fault?: Fault): void {
    this.#options.tally.metrics.upstreamErrors.inc({ reason });
    if (fault) this.#seldom.warn(reason, fault);
  }

  /** Nobody will ask for a connection any more. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  [Symbol.dispose](): void {
    for (const connection of this.#all) connection.destroy();
    this.#idle.length = 0;
  }
}
