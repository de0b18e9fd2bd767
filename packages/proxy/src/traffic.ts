// What all connections share: the clock for their deadlines, the counts, where requests go, and whether it is time to go.

import { type BlockList, isIPv6 } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Log, Memory, Values } from '@outrigger/core';
import type { AccessLog } from './access-log.ts';
import type { Answer } from './answer.ts';
import type { Connection, ConnectionState } from './connection.ts';
import { errors } from './errors.ts';
import type { Allowance } from './http/request-head.ts';
import { type Identity, identify } from './identity.ts';
import type { Origin } from './origin.ts';
import type { parameters } from './parameters.ts';
import type { Pools } from './pools.ts';
import type { Edits } from './relay.ts';
import type { Router } from './routes/router.ts';
import type { Rule } from './routes/rule.ts';
import type { Tally } from './tally.ts';
import { addressOf, type Endpoint } from './tcp/address.ts';
import { TransportSecurity } from './transport-security.ts';
import { proxyList } from './trusted-proxies.ts';

// Deadlines are looked at this often: one timer for all connections instead of one for each.
const tick = 100;

// Bytes that a client with TLS takes: 62 KB when busy, 230 KB when it does not read a long response. This is half of what
// a plan of nothing but the latter needs; the other half of the memory, the heap's, is hardly used then.
const connectionCost = 128 * 1024;
// So many clients have room for larger pieces, which make a large body a quarter cheaper: of those who do not take theirs
// each then holds 256 KiB more, an eighth of what buffers may hold in all.
const roomyShare = 1 / 16;

export type TrafficOptions = {
  readonly parameters: Values<typeof parameters>;
  readonly tally: Tally;
  readonly log: Log;
  readonly memory: Memory;
  readonly pools: Pools;
  readonly router: () => Router;
  readonly accessLog: AccessLog;
};

export class Traffic {
  readonly parameters: Values<typeof parameters>;
  readonly tally: Tally;
  readonly log: Log;
  readonly pools: Pools;
  readonly accessLog: AccessLog;
  /** How many clients there may be: as declared, or as many as the memory allows. */
  readonly connectionLimit: number;
  readonly clients = new Set<Connection>();
  /** Milliseconds on the monotonic clock, as of the last request or tick. */
  now = performance.now();
  /** For want of memory new requests are refused and new connections closed, until those under way have given theirs back. */
  shedding = false;
  /** Responses say that the connection closes after them. */
  leaving = false;
  /** TLS handshakes under way. */
  handshakes = 0;
  /** No connection outlives the request it is busy with. */
  draining = false;
  readonly #memory: Memory;
  readonly #roomyClients: number;
  readonly #router: () => Router;
  readonly #proxies: BlockList;
  readonly #transport: TransportSecurity;
  readonly #rejecting: Allowance;
  readonly #observing: Allowance;
  #timer: NodeJS.Timeout | undefined;
  #empty: (() => void) | undefined;

  constructor({ parameters, tally, log, memory, pools, router, accessLog }: TrafficOptions) {
    this.parameters = parameters;
    this.tally = tally;
    this.log = log;
    this.#memory = memory;
    this.#roomyClients = Math.ceil(memory.share(roomyShare) / connectionCost);
    this.connectionLimit = Math.min(parameters.connectionLimit, Math.ceil(memory.share(1) / connectionCost));
    this.pools = pools;
    this.#router = router;
    this.accessLog = accessLog;
    this.#proxies = proxyList(parameters.trustedProxies);
    const upgrades = new Set(parameters.upgrades.map((protocol) => protocol.toLowerCase()));
    this.#rejecting = { suspect: false, upgrades, connect: parameters.allowConnect };
    this.#observing = { ...this.#rejecting, suspect: true };
    this.#transport = new TransportSecurity(() => parameters.hsts);
  }

  /** A connection that is made now may take larger pieces at once. */
  get roomy(): boolean {
    return this.clients.size <= this.#roomyClients;
  }

  /** The rules that count now. */
  get router(): Router {
    return this.#router();
  }

  /** What requests may be. */
  get allows(): Allowance {
    return this.parameters.strictness === 'observe' ? this.#observing : this.#rejecting;
  }

  /** What is changed about a response on its way to the client. */
  responseEdits({ response }: Rule, protocol: 'http' | 'https'): Edits | undefined {
    return protocol === 'https' ? this.#transport.with(response) : response;
  }

  /** An answer of the proxy's own, as it goes to the client. */
  ownAnswer(answer: Answer, protocol: 'http' | 'https'): Answer {
    return protocol === 'https' ? this.#transport.on(answer) : answer;
  }

  /** Whether it is a proxy whose word about clients counts. Of two in a row, by the PROXY protocol, both have to be. */
  trusts({ host }: Endpoint): boolean {
    return this.#proxies.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
  }

  identify({ endpoints, identity, refusal, httpsPort }: Origin, secure: boolean): Identity {
    const { host } = endpoints.source;
    const trusted = this.trusts(endpoints.source);
    const style = this.parameters.forwarded;
    const address = addressOf(endpoints.source);
    return identify(host, secure ? 'https' : 'http', {
      style,
      trusted,
      certificate: identity?.lines,
      refusal,
      httpsPort,
      address,
    });
  }

  /** Clients by what they are doing. */
  get counts(): Readonly<Record<ConnectionState, number>> {
    const counts = { idle: 0, reading: 0, active: 0, tunnel: 0, closing: 0 };
    for (const { state } of this.clients) counts[state]++;
    return counts;
  }

  enter<C extends Connection>(make: () => C): C {
    this.now = performance.now();
    const connection = make();
    this.clients.add(connection);
    // An idle sidecar does not wake up.
    this.#timer ??= setInterval(() => this.#look(), tick).unref();
    return connection;
  }

  forget(connection: Connection): void {
    this.clients.delete(connection);
    if (this.clients.size === 0) this.#empty?.();
  }

  #look(): void {
    this.now = performance.now();
    this.shedding = this.#memory.shedding;
    for (const client of this.clients) if (client.deadline <= this.now) client.onDeadline();
    const pooled = this.pools.sweep(this.now);
    if (this.clients.size > 0 || pooled || this.shedding) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The Pod is going: nothing is refused yet, but clients are asked to come back elsewhere. */
  leave(): void {
    this.leaving = true;
    for (const client of this.clients) client.leave?.();
  }

  /** Resolves when the last client is gone: idle ones at once, the others after their response. */
  async drain(): Promise<void> {
    this.leaving = this.draining = true;
    this.now = performance.now();
    for (const client of this.clients) client.drain();
    if (this.clients.size === 0) return;
    const { active: requests, tunnel: tunnels } = this.counts;
    const answered = [...this.clients].filter(({ state }) => state !== 'active' && state !== 'tunnel');
    const unsent = answered.filter((client) => client.unsent > 0).length;
    this.log.info(errors.PROXY_DRAIN({ requests, unsent, tunnels }));
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
  }
}
