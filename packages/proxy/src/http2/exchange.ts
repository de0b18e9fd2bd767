// One request and its response where the application speaks HTTP/2 (h2c): with its trailers and resets for a client that
// speaks it too (gRPC), in HTTP/1's own terms for any other.

import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { Account, type Outcome } from '../account.ts';
import { type Answer, answerOf, continueAnswer, type Problem, send } from '../answer.ts';
import { broken, invalid, late, unreachable } from '../failure.ts';
import { passageOf } from '../forward.ts';
import { type Body, bodyOf } from '../http/body.ts';
import { writeChunkSize } from '../http/chunked.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Peer } from '../peer.ts';
import type { Rule } from '../routes/rule.ts';
import type { Traffic } from '../traffic.ts';
import { fieldValue, requestFields, responseFields, responseHead, trailerFields } from './head.ts';
import { gather, type TrailedConversation, type TrailedPeer } from './trailers.ts';
import type { H2cConnection, H2cPool } from './upstream.ts';

const END_STREAM = 1;
const CANCEL = 8;

const noBody = Buffer.alloc(0);
const lastChunk = Buffer.from('0\r\n\r\n');
const mostInterim = 10;

/** A request as it was taken on. */
export type TakenByH2c = {
  readonly head: RequestHead;
  readonly buffer: Buffer;
  readonly rule: Rule;
  readonly pool: H2cPool;
};

type Received = IncomingHttpHeaders & IncomingHttpStatusHeader;

export class H2cExchange implements TrailedConversation {
  readonly #peer: Peer;
  readonly #streams: TrailedPeer | undefined;
  readonly #traffic: Traffic;
  readonly #rule: Rule;
  readonly #pool: H2cPool;
  readonly #account: Account;
  readonly #method: string;
  readonly #minor: number;
  /** Either side may be silent for long: what the client has asked for says when it is enough. */
  #grpc = false;
  #owesContinue: boolean;
  #keep: boolean;
  readonly #request: Body;
  readonly #repeatable: boolean;
  /** What to ask again with, until some of the body has left. */
  #fields: string[] | undefined;
  #retried = false;
  #connection: H2cConnection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #requestTrailers: readonly string[] = [];
  #trailers: readonly string[] = [];
  /** Of the response, once its head is there. */
  #status = 0;
  #interims = 0;
  #bodiless = false;
  /** HTTP/1's framing of the response. */
  #chunked = false;
  /** The application has ended its response. */
  #whole = false;
  #sent = 0;
  #over = false;

  constructor(peer: Peer, traffic: Traffic, { head, buffer, rule, pool }: TakenByH2c) {
    this.#peer = peer;
    this.#streams = peer.streams;
    this.#traffic = traffic;
    this.#rule = rule;
    this.#pool = pool;
    this.#account = new Account(peer, traffic, head, buffer);
    this.#method = head.method;
    this.#minor = head.minor;
    this.#owesContinue = head.expectsContinue;
    this.#keep = head.keepsAlive;
    this.#repeatable = head.isIdempotent && !head.hasBody;
    this.#request = bodyOf(head.framing, peer.streams !== undefined, this.#bodyLimit);
  }

  get #bodyLimit(): number | undefined {
    return this.#rule.bodyLimit ?? this.#traffic.parameters.bodyLimit;
  }

  begin(head: RequestHead, buffer: Buffer, from: number): number {
    const limit = this.#bodyLimit;
    const request = this.#request;
    if (limit !== undefined && head.framing.length > limit) return this.#refuse(refusals.bodyLength, buffer);
    const after = request.done ? from : request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(request.refusal!, buffer);
    // A client that sends the body at once does not wait for permission.
    if (after > from) this.#owesContinue = false;
    const make = this.#traffic.parameters.traceparent === 'make';
    const sayings = { identity: this.#peer.identity, make, upstreamHost: this.#pool.host, edits: this.#rule.request };
    const fields = requestFields(buffer, passageOf(buffer, head, sayings), this.#streams !== undefined);
    if (!fields) return this.#refuse(refusals.fieldCount, buffer);
    this.#grpc = isGrpc(fields);
    this.#ask(fields, request.done && request.pending === 0);
    if (after > from) this.#give(buffer);
    return after;
  }

  #ask(fields: string[], ends: boolean): void {
    this.#fields = fields;
    const connection = this.#pool.choose(this.#retried);
    const stream = connection.request(fields, ends);
    this.#connection = connection;
    this.#stream = stream;
    this.#watchEnd(stream);
    stream
      .on('headers', (fields, _flags, list: string[]) => this.#interim(fields, list))
      .on('response', (fields, flags, list: string[]) => this.#respond(fields, flags, list))
      .on('data', (octets: Buffer) => this.#relay(octets))
      .on('trailers', (_fields, _flags, list: string[]) => {
        this.#trailers = trailerFields(list);
      })
      .on('end', () => this.#end(stream))
      .on('drain', () => this.#drained())
      .on('wantTrailers', () => stream.sendTrailers(gather(this.#requestTrailers)))
      // 'close' follows, and its code says the same; without a listener the process would end.
      .on('error', (error) => this.#traffic.log.debug('A request to the application failed', { cause: error.message }))
      .on('close', () => this.#broken(stream));
    if (stream.pending) stream.once('ready', () => this.#ready());
    else this.#ready();
  }

  // node:http2 also ends what is read from a stream that was reset; only an end of the application's comes before the close.
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    stream.push = (octets, encoding) => {
      if (octets === null && !stream.closed && !stream.destroyed) this.#whole = true;
      return push(octets, encoding);
    };
  }

  #ready(): void {
    this.#sendContinue();
    this.#touch();
  }

  // Only now is it known that somebody will take the body.
  #sendContinue(): void {
    if (!this.#owesContinue || this.#over) return;
    this.#owesContinue = false;
    if (this.#streams) this.#streams.respond(100, [], false);
    else this.#peer.write(continueAnswer);
  }

  onClientData(buffer: Buffer, from: number): number {
    const request = this.#request;
    if (request.done || this.#over) return this.#over ? buffer.length : from;
    const after = request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(request.refusal!, buffer);
    this.#give(buffer);
    return after;
  }

  /** Passes on what the last read of the body found. */
  #give(buffer: Buffer): void {
    const { pieces, pending, done } = this.#request;
    const stream = this.#stream!;
    this.#fields = undefined;
    if (
      pending > 0 &&
      !stream.write(pieces.length === 2 ? buffer.subarray(pieces[0], pieces[1]) : this.#joined(buffer))
    )
      this.#peer.pause();
    // A stream may still bring trailers.
    if (done && !this.#streams) stream.end();
    this.#touch();
  }

  #joined(buffer: Buffer): Buffer {
    const out = Buffer.allocUnsafe(this.#request.pending);
    this.#request.write(buffer, out, 0, false);
    return out;
  }

  onClientTrailers(fields: readonly string[]): void {
    this.#requestTrailers = trailerFields(fields);
  }

  onClientBodyEnd(): void {
    const request = this.#request;
    if (this.#over) return;
    if (request.endsWithoutFrame) request.end();
    if (request.done) {
      this.#fields = undefined;
      this.#stream!.end();
      this.#touch();
    } else this.abandon();
  }

  #drained(): void {
    if (this.#over) return;
    this.#peer.resume();
    this.#touch();
  }

  onClientDrain(): void {
    this.#stream?.resume();
    this.#touch();
  }

  #interim(received: Received, list: readonly string[]): void {
    const status = received[':status'] ?? 0;
    if (++this.#interims > mostInterim) this.#fail(invalid(this.#pool, 'Too many interim responses'));
    // 100 is ours to give.
    if (this.#over || status === 100 || this.#minor === 0) return;
    const fields = responseFields(list, undefined);
    if (this.#streams) this.#streams.respond(status, fields, false);
    else this.#peer.write(responseHead(status, fields, { chunked: false, connection: undefined }));
  }

  #respond(received: Received, flags: number, list: readonly string[]): void {
    const status = received[':status'] ?? 0;
    if (status < 200 || status > 599) this.#fail(invalid(this.#pool, `Its status is ${status}`));
    if (this.#over) return;
    this.#fields = undefined;
    const fields = responseFields(list, this.#traffic.responseEdits(this.#rule, this.#peer.identity.protocol));
    this.#bodiless = (flags & END_STREAM) !== 0 || this.#method === 'HEAD' || status === 204 || status === 304;
    this.#status = status;
    if (this.#streams) this.#streams.respond(status, fields, this.#bodiless, true);
    else this.#writeHead(fields);
    this.#touch();
  }

  #writeHead(fields: string[]): void {
    const bodiless = this.#bodiless;
    const measured = fieldValue(fields, 'content-length') !== undefined;
    this.#chunked = !bodiless && !measured && this.#minor === 1;
    const mayKeep = this.#request.done && !this.#traffic.leaving && !this.#peer.ended;
    this.#keep &&= mayKeep && (bodiless || measured || this.#chunked);
    // Nothing else says that there is none.
    if (bodiless && !measured && this.#method !== 'HEAD' && this.#status !== 204 && this.#status !== 304)
      fields.push('content-length', '0');
    const connection = this.#keep ? (this.#minor === 0 ? 'keep-alive' : undefined) : 'close';
    this.#peer.write(responseHead(this.#status, fields, { chunked: this.#chunked, connection }));
  }

  #relay(octets: Buffer): void {
    // What follows a head without a body would be the next response.
    if (this.#over || this.#bodiless) return;
    this.#sent += octets.length;
    if (!this.#peer.write(this.#chunked ? asChunk(octets) : octets)) this.#stream!.pause();
    this.#touch();
  }

  /** The application has said all. */
  #end(stream: ClientHttp2Stream): void {
    // Else 'close' says what became of it.
    if (this.#over || this.#status === 0 || stream !== this.#stream || !this.#whole) return;
    this.#over = true;
    if (this.#streams) this.#streams.end(this.#trailers);
    else if (this.#chunked) this.#peer.write(lastChunk);
    this.#account.answered(this.#status, this);
    if (!this.#request.done) this.#drop();
    this.#peer.finished(this.#keep && this.#request.done);
  }

  get outcome(): Outcome {
    return {
      ...{ rule: this.#rule.name, receivedBytes: this.#request.length, sentBytes: this.#sent },
      ...(this.#connection && { upstream: this.#pool.name }),
    };
  }

  /** The stream closed before the response was complete. */
  #broken(stream: ClientHttp2Stream): void {
    if (this.#over || stream !== this.#stream) return;
    const connection = this.#connection!;
    if (this.#fields && !this.#retried && this.#mayRepeat(connection, stream)) this.#retry(this.#fields);
    else if (!connection.connected) this.#fail(unreachable(this.#pool));
    else if (connection.lost) this.#lost(stream.errored);
    else this.#reset(stream.rstCode ?? 0);
  }

  // What was not looked at may be asked again whatever it is; what may have been, only when asking twice does no harm.
  #mayRepeat(connection: H2cConnection, stream: ClientHttp2Stream): boolean {
    if (!connection.connected) return false;
    return connection.untouched(stream) || (this.#repeatable && connection.reused && connection.lost);
  }

  #retry(fields: string[]): void {
    this.#retried = true;
    this.#traffic.tally.metrics.upstreamRetries.inc();
    this.#ask(fields, this.#request.done);
  }

  #lost(error: NodeJS.ErrnoException | null): void {
    // What came was not HTTP/2, or made no sense.
    if (error?.code === 'ERR_HTTP2_ERROR' || error?.code === 'ERR_HTTP2_SESSION_ERROR')
      this.#fail(invalid(this.#pool, error.message));
    else this.#fail(broken(this.#pool, false, error ?? undefined));
  }

  /** The application gave this one request up. A client of HTTP/2 is told with the same code, which means something in gRPC. */
  #reset(code: number): void {
    this.#pool.complain('reset');
    if (this.#streams?.reset) {
      this.#over = true;
      this.#account.answered(this.#status || 502, this, 'reset');
      // Without an error and without a response it would mean nothing.
      this.#streams.reset(code || CANCEL);
    } else this.#fail({ status: 502, code: 'PROXY_UPSTREAM_CLOSED', detail: 'The application gave the request up' });
  }

  onDeadline(): void {
    const stream = this.#stream!;
    if (this.#peer.needsDrain) this.abandon();
    else if (this.#connection!.connected && !this.#request.done && !stream.writableNeedDrain && !this.#grpc)
      this.#refuse(refusals.bodyTimeout, noBody);
    else this.#fail(late(this.#pool));
  }

  #touch(): void {
    if (!this.#over) this.#peer.deadline = performance.now() + this.#patience;
  }

  /** Milliseconds that nothing may move for. */
  get #patience(): number {
    const { upstreamConnectTimeout, clientTimeout, tunnelTimeout, upstreamTimeout } = this.#traffic.parameters;
    if (!this.#connection!.connected) return upstreamConnectTimeout;
    if (this.#peer.needsDrain) return clientTimeout;
    if (this.#grpc) return this.#rule.upstreamTimeout ?? tunnelTimeout;
    const theirs = this.#request.done || this.#stream!.writableNeedDrain;
    return theirs ? (this.#rule.upstreamTimeout ?? upstreamTimeout) : clientTimeout;
  }

  #refuse({ status, reason, detail }: Refusal, buffer: Buffer): number {
    this.#traffic.tally.metrics.refusals.inc({ reason });
    this.#keep = false;
    this.#fail({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
    return buffer.length;
  }

  #fail(problem: Problem): void {
    if (this.#over) return;
    const reason = problem.reason ?? problem.code.toLowerCase().replace('proxy_', '');
    this.#over = true;
    this.#drop();
    if (this.#status !== 0) {
      this.#account.answered(this.#status, this, reason);
      this.#peer.cut();
    } else this.#answer(answerOf(problem), reason);
  }

  #answer(answer: Answer, reason: string): void {
    this.#account.answered(answer.status, this, reason);
    const close = !this.#keep || this.#traffic.leaving || !this.#request.done || this.#peer.ended;
    send(this.#peer, answer, { close, bodiless: this.#method === 'HEAD' });
    this.#peer.finished(!close);
  }

  /** The application is not to go on with it. */
  #drop(): void {
    const stream = this.#stream;
    if (!stream) return;
    // Else node:http2 would end the body first, and half of it would look whole.
    stream._final = (done) => done();
    stream.close(CANCEL);
  }

  onClientEnd(): void {
    if (!this.#request.done) this.abandon();
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop();
    this.#account.abandoned(this);
    this.#peer.cut();
  }
}

const isGrpc = (fields: readonly string[]) =>
  fieldValue(fields, 'content-type')?.startsWith('application/grpc') === true;

function asChunk(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(octets.length + 16);
  let to = writeChunkSize(out, 0, octets.length);
  to += octets.copy(out, to);
  return out.subarray(0, to + out.write('\r\n', to, 'latin1'));
}
