// Connections of HTTP/2 without TLS to one application, each for many requests at once.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { getBuiltinModule } from 'node:process';
import { Pool, type PoolOptions } from '../pool.ts';

const REFUSED_STREAM = 7;

// What one response, and all of a connection, may bring before it is taken by its client.
const streamWindow = 262_144;
const connectionWindow = 1_048_576;
// Megabytes; the requests of many clients share a connection.
const sessionMemory = 64;
const mostHead = 65_536;
// Until the application has said how many requests it takes at once.
const assumedLimit = 100;
// Beyond these connections requests wait in the one with the fewest.
const mostConnections = 16;

export class H2cPool extends Pool {
  readonly #options: PoolOptions;
  readonly #connections = new Set<H2cConnection>();
  #retired = false;

  constructor(options: PoolOptions) {
    super(options);
    this.#options = options;
  }

  override get counts(): { readonly active: number; readonly idle: number } {
    let active = 0;
    for (const { streams } of this.#connections) if (streams > 0) active++;
    return { active, idle: this.#connections.size - active };
  }

  /** The connection for a request. @param fresh not one that has been used before. */
  choose(fresh: boolean): H2cConnection {
    let least: H2cConnection | undefined;
    for (const connection of this.#connections) {
      if (!connection.open || (fresh && connection.reused)) continue;
      if (!connection.full) return connection;
      if (!least || connection.streams < least.streams) least = connection;
    }
    return least && this.#connections.size >= mostConnections ? least : this.#connect();
  }

  #connect(): H2cConnection {
    const connection = new H2cConnection(this, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    this.#options.tally.metrics.upstreamConnections.inc();
    return connection;
  }

  /** Closes what has been idle for too long. Returns whether anything is left. */
  override sweep(now: number): boolean {
    const oldest = now - this.idleTimeout;
    for (const connection of this.#connections)
      if (connection.streams === 0 && connection.idleSince <= oldest) connection.close();
    return this.#connections.size > 0;
  }

  override retire(): void {
    this.#retired = true;
    for (const connection of this.#connections) connection.close();
  }

  onRequestFailed(error: Error): void {
    this.#options.log.debug('A request to the application failed', { cause: error.message });
  }

  /** A request is over. */
  onReleased(connection: H2cConnection): void {
    if (this.#retired) connection.close();
  }

  override [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.destroy();
  }
}

export class H2cConnection {
  readonly #pool: H2cPool;
  readonly #session: ClientHttp2Session;
  #limit = assumedLimit;
  /** The last stream that the application says it has looked at, once it goes. */
  #last: number | undefined;
  #error: NodeJS.ErrnoException | undefined;
  #requests = 0;
  streams = 0;
  connected = false;
  idleSince = performance.now();

  /** @param gone called when it is of no use any more. */
  constructor(pool: H2cPool, gone: () => void) {
    this.#pool = pool;
    const options = {
      createConnection: () => connect({ ...pool.address, noDelay: true }),
      maxSessionMemory: sessionMemory,
      // Whatever a client may repeat, this application may get.
      strictSingleValueFields: false,
      settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: mostHead },
    };
    // node:http2 is large, and needed only from now on.
    this.#session = getBuiltinModule('node:http2')
      .connect('http://localhost', options)
      .on('connect', () => this.#connect())
      .on('remoteSettings', ({ maxConcurrentStreams }) => {
        this.#limit = maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
      })
      .on('goaway', (_code: number, last: number) => {
        this.#last = last;
      })
      .on('error', (error) => {
        this.#error = error;
      })
      .on('close', () => {
        if (!this.connected && this.#error) pool.onFailed(this.#error);
        gone();
      });
  }

  #connect(): void {
    this.connected = true;
    this.#session.setLocalWindowSize(connectionWindow);
    this.#pool.onConnected();
  }

  /** May be asked for more. */
  get open(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  get full(): boolean {
    return this.streams >= this.#limit;
  }

  /** Has carried a request before the latest. */
  get reused(): boolean {
    return this.#requests > 1;
  }

  /** It ended, and all that was under way with it. */
  get lost(): boolean {
    return this.#session.destroyed;
  }

  /** @param fields pseudo-fields first, names and values by turns. */
  request(fields: readonly string[], ends: boolean): ClientHttp2Stream {
    this.#requests++;
    this.streams++;
    const stream = this.#session.request(fields, { endStream: ends, waitForTrailers: !ends });
    return (
      stream
        // 'close' follows, and its code says the same; without a listener the process would end.
        .on('error', (error) => this.#pool.onRequestFailed(error))
        .on('close', () => {
          this.streams--;
          this.idleSince = performance.now();
          this.#pool.onReleased(this);
        })
    );
  }

  /** The application has not looked at this request, and says so, or never got it. */
  untouched(stream: ClientHttp2Stream): boolean {
    if (stream.rstCode === REFUSED_STREAM || stream.id === undefined) return true;
    return this.#last !== undefined && stream.id > this.#last;
  }

  close(): void {
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}
