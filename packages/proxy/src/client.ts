// One client connection: heads read from it one after the other, each with its exchange.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { unreadEntry } from './access-log.ts';
import { refuseUnread } from './account.ts';
import { send } from './answer.ts';
import { releaseAfter } from './blocks.ts';
import type { Connection, ConnectionState } from './connection.ts';
import { converse } from './converse.ts';
import { cut } from './cut.ts';
import { MORE, REFUSED } from './http/fields.ts';
import { Fragments } from './http/fragments.ts';
import { type Refusal, refusals } from './http/refusal.ts';
import { RequestHead } from './http/request-head.ts';
import type { Identity } from './identity.ts';
import { type Origin, tlsOf } from './origin.ts';
import type { Conversation, Peer } from './peer.ts';
import { addressOf } from './tcp/address.ts';
import type { Traffic } from './traffic.ts';
import { Tunnel, type TunnelEnded } from './tunnel.ts';
import type { Upstream } from './upstream.ts';

// After our last octet the client's own are read and thrown away for a while: a socket closed over unread octets makes
// the kernel reset it, and the client would lose our answer.
const lingering = 2_000;
const mostDiscarded = 1_048_576;

// Octets of further requests that are taken while one is under way.
const mostAside = 16_384;

// A head is used up as soon as it is read whole, so one serves all connections.
const head = new RequestHead();

export class Client implements Connection, Peer {
  readonly protocol = 'http/1.1';
  readonly streams = undefined;
  readonly since = new Date();
  requests = 0;
  deadline: number;
  /** Its side of the connection has ended. */
  #fin = false;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #origin: Origin;
  #identity: Identity | undefined;
  #exchange: Conversation | undefined;
  #tunnel: Tunnel | undefined;
  /** Octets of the next head: it is not whole yet, or another exchange comes first. */
  #pending: Fragments | undefined;
  #closing = false;
  #discarded = 0;
  #paused = false;

  constructor(socket: Socket, traffic: Traffic, origin: Origin) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#origin = origin;
    this.deadline = traffic.now + traffic.parameters.headTimeout;
    this.#takeReads(socket);
    socket
      .on('drain', () => this.#drained())
      .on('end', () => this.#end())
      // 'close' follows and does what there is to do; without a listener the process would end.
      .on('error', (error) =>
        traffic.log.debug('Client connection failed', { client: this.address, cause: error.message }),
      )
      .on('close', () => this.#close());
  }

  /** Octets come straight from the socket: the queue of a stream on their way costs a twentieth of a small request. */
  #takeReads(socket: Socket): void {
    const push = socket.push.bind(socket);
    socket.push = (octets: Buffer | null) => {
      if (octets === null) return push(null);
      this.#read(octets);
      return !this.#paused;
    };
    // What came with the end of the handshake is in that queue already.
    const early: Buffer | null = socket.read();
    if (early) process.nextTick(() => this.#read(early));
    else socket._read(0);
  }

  get ended(): boolean {
    return this.#fin && !this.#pending;
  }

  get state(): ConnectionState {
    if (this.#tunnel) return 'tunnel';
    if (this.#closing) return 'closing';
    if (this.#exchange) return 'active';
    return this.#pending ? 'reading' : 'idle';
  }

  get address(): string {
    return addressOf(this.#origin.endpoints.source);
  }

  get tls(): Connection['tls'] {
    return tlsOf(this.#socket);
  }

  /** Made with the first request: a connection may never have one. */
  get identity(): Identity {
    this.#identity ??= this.#traffic.identify(this.#origin, this.#socket instanceof TLSSocket);
    return this.#identity;
  }

  /** Octets that wait for the client to take them. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  #read(octets: Buffer): void {
    this.#traffic.tally.received(octets.length);
    if (this.#exchange) {
      const after = this.#exchange.onClientData(octets, 0);
      if (after < octets.length) this.#putAside(octets.subarray(after));
    } else if (this.#tunnel) this.#tunnel.onClientData(octets);
    else if (this.#closing) this.#discard(octets.length);
    // What it was told already it has to take first: answers must not pile up in our memory.
    else if (this.needsDrain) this.#putAside(octets);
    else this.#readMore(octets);
  }

  #drained(): void {
    const user = this.#exchange ?? this.#tunnel;
    if (user) user.onClientDrain();
    else this.#next();
  }

  #readMore(octets: Buffer): void {
    const whole = this.#pending ? this.#pending.add(octets, this.#traffic.parameters.headLimit) : octets;
    if (whole) this.#readHead(whole);
  }

  #readHead(octets: Buffer): void {
    head.allows = this.#traffic.allows;
    const after = head.read(octets, 0, { end: octets.length, most: this.#traffic.parameters.headLimit });
    if (after === REFUSED) this.#refuse(head.refusal!);
    else if (this.#traffic.shedding) this.#refuse(refusals.memory);
    // Nothing will come of it.
    else if (after === MORE && this.#fin) this.#finish();
    else if (after === MORE) this.#await(octets);
    else this.#exchangeFor(octets, after);
  }

  #await(octets: Buffer): void {
    // The time runs from the first octet of a head, whatever drips in.
    if (!this.#pending && this.requests > 0) this.#allow(this.#traffic.parameters.headTimeout);
    this.#pending = new Fragments(octets);
  }

  #exchangeFor(octets: Buffer, after: number): void {
    this.#pending = undefined;
    this.requests++;
    for (const { reason } of head.observed ?? []) this.#traffic.tally.metrics.observed.inc({ reason });
    const exchange = converse(this, this.#traffic, head, octets);
    this.#exchange = exchange;
    const rest = exchange.begin(head, octets, after);
    if (rest < octets.length) this.#rest(octets.subarray(rest));
  }

  /** What follows the request. */
  #rest(octets: Buffer): void {
    if (this.#closing) this.#discard(octets.length);
    else this.#putAside(octets);
    // It was answered at once: nobody will come back for the next one. Not in this turn, or many make a deep stack.
    if (!this.#closing && !this.#exchange) setImmediate(() => this.#next());
  }

  #allow(milliseconds: number): void {
    this.deadline = this.#traffic.now + milliseconds;
  }

  // Pipelined requests wait in the kernel, not in our memory; but where nothing is read, a reset is not heard of either.
  #putAside(octets: Buffer): void {
    if (this.#pending) this.#pending.add(octets, 0);
    else this.#pending = new Fragments(octets);
    if (this.#pending.length > mostAside) this.pause();
  }

  #refuse(refusal: Refusal): void {
    const entry = () => unreadEntry(this.#origin, 'HTTP/1.1');
    const answer = refuseUnread(this.#traffic, refusal, { entry, bodiless: false });
    send(this, answer, { close: true, bodiless: false });
    this.#finish();
  }

  finished(keep: boolean): void {
    this.#exchange = undefined;
    if (keep && !this.#traffic.draining) this.#next();
    else this.#finish();
  }

  #next(): void {
    if (this.#exchange || this.#tunnel || this.#closing || this.#socket.destroyed) return;
    const { idleTimeout, clientTimeout } = this.#traffic.parameters;
    this.#allow(this.needsDrain ? clientTimeout : idleTimeout);
    if (this.needsDrain) return;
    const pending = this.#pending;
    this.#pending = undefined;
    // A client that has ended its side gets the end of ours.
    if (!pending && this.ended) this.#finish();
    else this.resume();
    if (pending) this.#readHead(pending.whole);
  }

  /** Says that no more is coming, and gives the client time to read what came. */
  #finish(): void {
    this.#closing = true;
    this.#pending = undefined;
    // What is still to be sent has the client's time; the lingering starts after it.
    this.#allow(this.#traffic.parameters.clientTimeout);
    this.#socket.end(() => this.#allow(lingering));
    this.resume();
  }

  #discard(length: number): void {
    this.#discarded += length;
    if (this.#discarded > mostDiscarded) this.#socket.destroy();
  }

  #end(): void {
    this.#fin = true;
    if (this.#exchange) this.#exchange.onClientEnd();
    else if (this.#tunnel) this.#tunnel.onClientEnd();
    else this.#next();
  }

  #close(): void {
    this.#traffic.forget(this);
    this.#pending = undefined;
    this.#exchange?.abandon();
    this.#tunnel?.close();
  }

  /** The time is up; called by the traffic's clock. */
  onDeadline(): void {
    if (this.#exchange) this.#exchange.onDeadline();
    else if (this.#tunnel) this.#tunnel.onDeadline();
    else if (this.#pending) this.#refuse(refusals.headTimeout);
    else this.#socket.destroy();
  }

  /** The sidecar stops: goes at once when idle, else after the response in flight. */
  drain(): void {
    if (this.#tunnel) this.#tunnel.drain();
    else if (!this.#exchange && !this.#pending && !this.#closing) this.#socket.destroySoon();
  }

  write(octets: Buffer): boolean {
    this.#traffic.tally.sent(octets.length);
    return this.#socket.write(octets, releaseAfter(octets));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket._read(0);
  }

  end(): void {
    this.#socket.end();
  }

  cut(): void {
    cut(this.#socket, this.#origin.raw);
  }

  tunnel(upstream: Upstream, rest: Buffer, ended: TunnelEnded): void {
    this.#exchange = undefined;
    const tunnel = new Tunnel(this, this.#traffic, upstream, ended);
    this.#tunnel = tunnel;
    const early = this.#pending;
    this.#pending = undefined;
    if (rest.length > 0) tunnel.onUpstreamData(rest, 0, rest.length);
    if (early) tunnel.onClientData(early.whole);
    if (this.ended) tunnel.onClientEnd();
    this.resume();
    if (this.#traffic.draining) tunnel.drain();
  }
}
