// One attempt at having a request answered by an application of HTTP/2: a stream of one of its connections, and what
// became of it.

import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import type { Problem } from '../answer.ts';
import { broken, invalid, unreachable } from '../failure.ts';
import { gather, trailerFields } from './head.ts';
import type { H2cConnection, H2cPool } from './upstream.ts';

const END_STREAM = 1;
const CANCEL = 8;

/** Whose request it is. Hears nothing after `onWhole` or `onBroken`, and nothing once it has dropped the attempt. */
export type AttemptUser = {
  /** The request is on a connection that is there. */
  onReady(): void;
  onInterim(status: number, fields: readonly string[]): void;
  /** @param ended no body follows. */
  onHead(status: number, fields: readonly string[], ended: boolean): void;
  onBody(octets: Buffer): void;
  /** The response is complete. */
  onWhole(trailers: readonly string[]): void;
  onDrain(): void;
  /** The stream closed before that. */
  onBroken(): void;
};

type Received = IncomingHttpHeaders & IncomingHttpStatusHeader;

export class Attempt {
  /** May follow the request's body. */
  requestTrailers: readonly string[] = [];
  readonly #pool: H2cPool;
  readonly #connection: H2cConnection;
  readonly #stream: ClientHttp2Stream;
  #user: AttemptUser | undefined;
  #trailers: readonly string[] = [];
  #answered = false;
  /** The application has ended its response. */
  #ended = false;

  /** @param fields pseudo-fields first, names and values by turns; @param ends there is no body. */
  constructor(pool: H2cPool, connection: H2cConnection, fields: readonly string[], ends: boolean) {
    this.#pool = pool;
    this.#connection = connection;
    this.#stream = connection.request(fields, ends);
  }

  begin(user: AttemptUser): void {
    const stream = this.#stream;
    this.#user = user;
    this.#watchEnd(stream);
    stream
      .on('headers', (received, _flags, list: string[]) => this.#user?.onInterim(statusOf(received), list))
      .on('response', (received, flags, list: string[]) => this.#head(statusOf(received), flags, list))
      .on('data', (octets: Buffer) => this.#user?.onBody(octets))
      .on('trailers', (_received, _flags, list: string[]) => {
        this.#trailers = trailerFields(list);
      })
      .on('end', () => this.#end())
      .on('drain', () => this.#user?.onDrain())
      .on('wantTrailers', () => stream.sendTrailers(gather(this.requestTrailers)))
      .on('close', () => this.#leave()?.onBroken());
    if (stream.pending) stream.once('ready', () => this.#user?.onReady());
    else user.onReady();
  }

  // node:http2 also ends what is read from a stream that was reset; only an end of the application's comes before the close.
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (octets, encoding) => {
      if (octets === null && !stream.closed && !stream.destroyed) this.#ended = true;
      return push(octets, encoding);
    };
  }

  #head(status: number, flags: number, fields: readonly string[]): void {
    this.#answered = true;
    this.#user?.onHead(status, fields, (flags & END_STREAM) !== 0);
  }

  #end(): void {
    // Else 'close' says what became of it.
    if (this.#answered && this.#ended) this.#leave()?.onWhole(this.#trailers);
  }

  #leave(): AttemptUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    return user;
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  get needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** Returns false when the application is slower than the client; `onDrain` follows. */
  write(octets: Buffer): boolean {
    return this.#stream.write(octets);
  }

  end(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The application is not to go on with it. */
  drop(): void {
    const stream = this.#stream;
    this.#leave();
    // Else node:http2 would end the body first, and half of it would look whole.
    stream._final = (done) => done();
    stream.close(CANCEL);
  }

  /** What was not looked at may be asked again whatever it is; what may have been, only when asking twice is `harmless`. */
  mayRepeat(harmless: boolean): boolean {
    const { connected, reused, lost } = this.#connection;
    return connected && (this.#connection.untouched(this.#stream) || (harmless && reused && lost));
  }

  /** What the client is told of a broken attempt; undefined when the application gave up this one request, with `code`. */
  get problem(): Problem | undefined {
    const { connected, lost } = this.#connection;
    if (!connected) return unreachable(this.#pool);
    if (!lost) return undefined;
    const error: NodeJS.ErrnoException | null = this.#stream.errored;
    // What came was not HTTP/2, or made no sense.
    const nonsense = error?.code === 'ERR_HTTP2_ERROR' || error?.code === 'ERR_HTTP2_SESSION_ERROR';
    return nonsense ? invalid(this.#pool, error.message) : broken(this.#pool, false, error ?? undefined);
  }

  /** Without an error and without a response it would mean nothing. */
  get code(): number {
    return this.#stream.rstCode || CANCEL;
  }
}

const statusOf = (received: Received) => received[':status'] ?? 0;
