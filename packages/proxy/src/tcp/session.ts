// One client connection of --mode tcp: octets both ways between it and the application, each side held back by the other,
// each end passed on by itself, and a reset as a reset.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { freeAfter, releaseAfter, room } from '../blocks.ts';
import type { Connection, ConnectionState } from '../connection.ts';
import { cut } from '../cut.ts';
import { dial, shared, type UpstreamAddress } from '../dial.ts';
import { errors } from '../errors.ts';
import { writeTogether } from '../gather.ts';
import { tlsOf } from '../origin.ts';
import type { Pool } from '../pool.ts';
import { proxyTlsOf, writeProxyHeader } from '../proxy-protocol.ts';
import type { ClientIdentity } from '../tls/identity.ts';
import type { Traffic } from '../traffic.ts';
import { addressOf, type Endpoints } from './address.ts';

export type SessionOptions = {
  readonly traffic: Traffic;
  readonly upstream: UpstreamAddress;
  /** Tells the log whether the application can be reached; its connections are not used. */
  readonly pool: Pick<Pool, 'name' | 'onConnected' | 'onFailed' | 'complain'>;
  /** Of the client's connection. */
  readonly endpoints: Endpoints;
  /** Who the client is by its certificate. */
  readonly identity?: ClientIdentity | undefined;
  /** The PROXY protocol header that the application gets first. */
  readonly send: 'off' | 'v1' | 'v2';
  /** What TLS runs on, where it is terminated here. */
  readonly raw?: Socket | undefined;
};

// Once both sides were told that it is over, they have a moment to agree.
const lingering = 2_000;

export class TcpSession implements Connection {
  readonly protocol = 'tcp';
  readonly requests = 0;
  readonly address: string;
  readonly since = new Date();
  deadline: number;
  readonly #traffic: Traffic;
  readonly #pool: SessionOptions['pool'];
  readonly #client: Socket;
  readonly #raw: Socket;
  readonly #upstream: Socket;
  #connected = false;
  #clientEnded = false;
  #upstreamEnded = false;
  /** Both sides were told that it is over; what still comes is thrown away. */
  #closing = false;
  /** However much there is to say, it ends then. */
  #lastCall = Number.POSITIVE_INFINITY;
  /** Sockets that are open. */
  #open = 2;

  /** @param socket raw to pass it through as it comes, or after its handshake; must be allowed to be half-open. */
  constructor(socket: Socket, { traffic, upstream, pool, endpoints, identity, send, raw = socket }: SessionOptions) {
    this.#client = socket;
    this.#raw = raw;
    this.#traffic = traffic;
    this.#pool = pool;
    this.address = addressOf(endpoints.source);
    this.deadline = traffic.now + traffic.parameters.upstreamConnectTimeout;
    this.#upstream = this.#connect(upstream);
    const tls = socket instanceof TLSSocket ? proxyTlsOf(socket, identity) : undefined;
    // Sent as soon as the application is there: it may be the one that speaks first.
    if (send !== 'off') this.#upstream.write(writeProxyHeader(send, endpoints, tls));
    socket
      .on('data', (octets: Buffer) => this.#fromClient(octets))
      .on('drain', () => this.#drained(this.#upstream))
      .on('end', () => this.#endOfClient())
      .on('error', (error) => this.#say('Client connection failed', error))
      .on('close', () => this.#closed(socket, this.#upstream));
  }

  #connect(address: UpstreamAddress): Socket {
    this.#traffic.tally.metrics.upstreamConnections.inc();
    const socket = dial(address, (length) => this.#fromUpstream(length), this.#traffic.roomy);
    return socket
      .on('connect', () => this.#begin())
      .on('drain', () => this.#drained(this.#client))
      .on('end', () => this.#endOfUpstream())
      .on('error', (error) => this.#upstreamFailed(error))
      .on('close', () => this.#closed(socket, this.#client));
  }

  get state(): ConnectionState {
    if (this.#closing) return 'closing';
    return this.#connected ? 'tunnel' : 'active';
  }

  /** Octets that wait for the client to take them. */
  get unsent(): number {
    return this.#client.writableLength;
  }

  get tls(): Connection['tls'] {
    return tlsOf(this.#client);
  }

  #begin(): void {
    this.#connected = true;
    this.#pool.onConnected();
    this.#touch();
  }

  #fromClient(octets: Buffer): void {
    this.#traffic.tally.received(octets.length);
    if (this.#closing) return;
    if (!writeTogether(this.#upstream, octets, freeAfter(octets))) this.#client.pause();
    this.#touch();
  }

  #fromUpstream(length: number): void {
    if (this.#closing) return;
    this.#traffic.tally.sent(length);
    const block = room(length);
    shared.copy(block, 0, 0, length);
    const octets = block.length === length ? block : block.subarray(0, length);
    if (!this.#client.write(octets, releaseAfter(octets))) this.#upstream.pause();
    this.#touch();
  }

  /** @param held the side that was held back. */
  #drained(held: Socket): void {
    held.resume();
    this.#touch();
  }

  #endOfClient(): void {
    this.#clientEnded = true;
    this.#upstream.end();
    this.#touch();
  }

  #endOfUpstream(): void {
    this.#upstreamEnded = true;
    this.#client.end();
    this.#touch();
  }

  #touch(): void {
    if (!this.#connected || this.#closing) return;
    this.deadline = Math.min(this.#traffic.now + this.#patience, this.#lastCall);
  }

  /** A side that has had its last octet from the other one has no reason to be silent for long. */
  get #patience(): number {
    const { tunnelTimeout, clientTimeout, upstreamTimeout } = this.#traffic.parameters;
    if (this.#upstreamEnded) return Math.min(tunnelTimeout, clientTimeout);
    return this.#clientEnded ? Math.min(tunnelTimeout, upstreamTimeout) : tunnelTimeout;
  }

  #upstreamFailed(error: NodeJS.ErrnoException): void {
    const { upstreamErrors } = this.#traffic.tally.metrics;
    upstreamErrors.inc({ reason: this.#connected ? 'closed' : 'connect' });
    if (this.#connected) this.#say('Connection to the application failed', error);
    else this.#pool.onFailed(error);
  }

  #say(message: string, { message: cause }: Error): void {
    this.#traffic.log.debug(message, { client: this.address, cause });
  }

  #closed(socket: Socket, other: Socket): void {
    const clean = socket.readableEnded && socket.writableFinished && !socket.errored;
    // After a clean close the other side has all there is to send to it, and goes by itself.
    if (!clean && !this.#closing) this.#cut(other);
    this.#open--;
    if (this.#open === 0) this.#traffic.forget(this);
  }

  /** The time is up; called by the traffic's clock. */
  onDeadline(): void {
    if (this.#closing) this.#destroy();
    else if (this.#traffic.now >= this.#lastCall && this.#connected) this.#end();
    else this.#late();
  }

  #late(): void {
    // Cut short by the proxy's own end, it says nothing of the application.
    const late = !this.#connected && this.#traffic.now < this.#lastCall;
    if (late) this.#pool.complain('timeout', errors.PROXY_UPSTREAM_TIMEOUT({ upstream: this.#pool.name }));
    // Not a clean end: nobody has said that these were the last octets.
    this.#cut(this.#client);
    this.#cut(this.#upstream);
  }

  #cut(socket: Socket): void {
    cut(socket, socket === this.#client ? this.#raw : socket);
  }

  #end(): void {
    this.#closing = true;
    this.deadline = this.#traffic.now + lingering;
    for (const socket of [this.#client, this.#upstream]) {
      socket.end();
      // Over unread octets the kernel would reset the connection.
      socket.resume();
    }
  }

  #destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  /** The sidecar stops: goes on for a while. */
  drain(): void {
    this.#lastCall = this.#traffic.now + this.#traffic.parameters.tunnelGrace;
    this.deadline = Math.min(this.deadline, this.#lastCall);
  }
}
