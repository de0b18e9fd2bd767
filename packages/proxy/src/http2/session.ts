// One client connection of HTTP/2: its streams, what they may cost together, and its end.

import type { Http2Session as NodeSession, ServerHttp2Stream } from 'node:http2';
import { getBuiltinModule } from 'node:process';
import type { TLSSocket } from 'node:tls';
import type { Connection, ConnectionState } from '../connection.ts';
import type { Identity } from '../identity.ts';
import { type Origin, tlsOf } from '../origin.ts';
import { addressOf } from '../tcp/address.ts';
import type { Traffic } from '../traffic.ts';
import { Budget, costs } from './budget.ts';
import { RequestStream, type StreamKeeper } from './stream.ts';

const ENHANCE_YOUR_CALM = 11;

// A stream's window is what one client can make us keep of a body that the application does not take; node:http2 hands
// the connection's own window back at once, so it is the streams' that bounds: 100 x 64 KiB.
const streamWindow = 65_535;
const connectionWindow = 1_048_576;
// Megabytes that queues of one connection may hold before further requests on it are refused.
const sessionMemory = 10;
// Frames without use (empty DATA) and streams beyond the limit that are put up with.
const mostInvalid = 100;
// nghttp2's own bounds, should clients reset streams before we come to see them.
const resetBurst = 400;
const resetRate = 40;
// After a GOAWAY the client has this long to close, so that what it sends meanwhile makes no TCP reset of our last frames.
const lingering = 2_000;

export class Http2Session implements Connection, StreamKeeper {
  readonly protocol = 'h2';
  readonly since = new Date();
  readonly traffic: Traffic;
  readonly origin: Origin;
  requests = 0;
  readonly #socket: TLSSocket;
  readonly #session: NodeSession;
  readonly #streams = new Set<RequestStream>();
  readonly #budget: Budget;
  /** When the connection ends if no stream is open. */
  #until: number;
  #leaving = false;
  /** When it was seen to be. */
  #destroyed: number | undefined;
  #identity: Identity | undefined;

  constructor(socket: TLSSocket, traffic: Traffic, origin: Origin) {
    const { parameters, now } = traffic;
    this.#socket = socket;
    this.traffic = traffic;
    this.origin = origin;
    this.#budget = new Budget(now);
    this.#until = now + parameters.headTimeout;
    // node:http2 is large, and needed only from now on.
    this.#session = getBuiltinModule('node:http2').performServerHandshake(socket, {
      maxSessionInvalidFrames: mostInvalid,
      maxSessionRejectedStreams: mostInvalid,
      maxSessionMemory: sessionMemory,
      streamResetBurst: resetBurst,
      streamResetRate: resetRate,
      // An application may well repeat what should be there once; it is not for us to fail over it.
      strictSingleValueFields: false,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindow,
        maxConcurrentStreams: parameters.streamLimit,
        // A field counts 32 octets more here than its line does, and what is a little too large shall be told so (431).
        maxHeaderListSize: 2 * parameters.headLimit,
      },
    });
    this.#session.setLocalWindowSize(connectionWindow);
    this.#listen();
  }

  #listen(): void {
    this.#session
      .on('stream', (stream: ServerHttp2Stream, _headers, _flags, fields: string[]) => this.#enter(stream, fields))
      .on('remoteSettings', () => this.#settings())
      .on('ping', () => this.#spend(costs.ping))
      // The socket's 'close' follows; without a listener the process would end.
      .on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    this.#socket
      // Without its own side a client of HTTP/2 can take no response: windows and SETTINGS go that way.
      .once('end', () => this.#session.destroy())
      .once('close', () => this.traffic.forget(this));
  }

  #settings(): void {
    this.#spend(costs.settings);
    if (this.requests === 0 && !this.#leaving) this.#until = this.traffic.now + this.traffic.parameters.idleTimeout;
  }

  #enter(stream: ServerHttp2Stream, fields: readonly string[]): void {
    this.requests++;
    const made = new RequestStream(stream, this);
    this.#streams.add(made);
    // Else it was reset in the turn it came in, and 'close' is still to come.
    if (!stream.destroyed) made.begin(fields);
    if (this.traffic.leaving) this.leave();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.traffic.log.debug('A connection of HTTP/2 failed', { client: this.address, cause: error.message });
    // Of the socket's own errors none is anybody's fault.
    if (error.syscall === undefined) this.traffic.tally.metrics.refusals.inc({ reason: 'http2' });
  }

  #spend(points: number): void {
    if (this.#session.destroyed || this.#budget.spend(points, performance.now())) return;
    this.#session.destroy(new Error('It keeps us busy for nothing'), ENHANCE_YOUR_CALM);
  }

  onAnswered(): void {
    this.#budget.earn(costs.ping);
  }

  onGone(stream: RequestStream, cancelled: boolean): void {
    this.#streams.delete(stream);
    if (cancelled) this.#spend(costs.cancelled);
    if (this.#streams.size > 0) return;
    this.#until = this.traffic.now + (this.#leaving ? lingering : this.traffic.parameters.idleTimeout);
  }

  get state(): ConnectionState {
    if (this.#streams.size > 0) return 'active';
    return this.#leaving || this.#session.destroyed ? 'closing' : 'idle';
  }

  get unsent(): number {
    let sum = 0;
    for (const { unsent } of this.#streams) sum += unsent;
    return sum;
  }

  get address(): string {
    return addressOf(this.origin.endpoints.source);
  }

  get identity(): Identity {
    this.#identity ??= this.traffic.identify(this.origin, true);
    return this.#identity;
  }

  get tls(): Connection['tls'] {
    return tlsOf(this.#socket);
  }

  get deadline(): number {
    if (this.#session.destroyed) return this.#end;
    if (this.#streams.size === 0) return this.#until;
    let least = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#streams) least = Math.min(least, deadline);
    return least;
  }

  /** Of a session that failed: node:http2 says nothing before the socket is closed, which may take as long as it likes. */
  get #end(): number {
    this.#destroyed ??= this.traffic.now;
    return this.#destroyed + lingering;
  }

  onDeadline(): void {
    if (this.#session.destroyed) this.#socket.destroy();
    else if (this.#streams.size > 0) {
      for (const stream of this.#streams) if (stream.deadline <= this.traffic.now) stream.onDeadline();
    } else if (this.#session.closed) this.#socket.destroy();
    else this.#close();
  }

  #close(): void {
    if (this.#leaving) this.#session.close();
    this.leave();
    this.#until = this.traffic.now + lingering;
  }

  /** GOAWAY: streams that are open go on, and the client knows that no later one was looked at. */
  leave(): void {
    if (this.#leaving || this.#session.destroyed) return;
    this.#leaving = true;
    this.#session.goaway();
    this.#until = this.traffic.now + lingering;
  }

  drain(): void {
    this.leave();
    this.#session.close();
  }
}
