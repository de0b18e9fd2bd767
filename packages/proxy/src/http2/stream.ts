// One request of HTTP/2: the client's side of a conversation. Bodies are data without framing, and the stream itself holds
// the faster side back.

import type { ServerHttp2Stream } from 'node:http2';
import { unreadEntry } from '../access-log.ts';
import { refuseUnread } from '../account.ts';
import { releaseAfter } from '../blocks.ts';
import { converse } from '../converse.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { Identity } from '../identity.ts';
import type { Origin } from '../origin.ts';
import type { Conversation, Peer, StreamPeer } from '../peer.ts';
import type { Traffic } from '../traffic.ts';
import { isGrpc, reply } from './grpc.ts';
import { gather } from './head.ts';
import { type Request, readRequest } from './request.ts';

// RFC 9113 7.
const NO_ERROR = 0;
const INTERNAL_ERROR = 2;
const CANCEL = 8;

/** The connection as its streams see it. */
export type StreamKeeper = {
  readonly traffic: Traffic;
  readonly identity: Identity;
  readonly origin: Origin;
  /** The stream is closed; @param cancelled before its response was complete. */
  onGone(stream: RequestStream, cancelled: boolean): void;
  /** Something that the client asked for is on its way to it. */
  onAnswered(): void;
};

export class RequestStream implements Peer, StreamPeer {
  readonly streams: StreamPeer = this;
  /** A stream that ends before its body does is reset. */
  readonly ended = false;
  deadline: number;
  grpc = false;
  readonly #stream: ServerHttp2Stream;
  readonly #keeper: StreamKeeper;
  #conversation: Conversation | undefined;
  /** All of the request is here. */
  #received = false;
  /** Its response is complete, or given up. */
  #settled = false;
  #trailers: readonly string[] | undefined;
  /** Sent once the body is. */
  #closing: readonly string[] = [];
  #ending = false;

  constructor(stream: ServerHttp2Stream, keeper: StreamKeeper) {
    const { traffic } = keeper;
    this.#stream = stream;
    this.#keeper = keeper;
    this.deadline = traffic.now + traffic.parameters.clientTimeout;
    stream
      .on('trailers', (_trailers, _flags, fields: string[]) => {
        this.#trailers = fields;
      })
      .on('end', () => this.#readEnd())
      .on('drain', () => this.#conversation?.onClientDrain())
      .on('wantTrailers', () => this.#sendTrailers())
      // 'close' follows and does what there is to do; without a listener the process would end.
      .on('error', (error) => traffic.log.debug('A stream failed', { cause: error.message }))
      .on('close', () => this.#close());
  }

  get identity(): Identity {
    return this.#keeper.identity;
  }

  get needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  get unsent(): number {
    return this.#stream.writableLength;
  }

  /** @param fields names and values by turns, as they came. */
  begin(fields: readonly string[]): void {
    if (this.#stream.endAfterHeaders || fields.includes('content-length')) this.#begin(fields);
    // What else has arrived is seen first: many a client ends an empty body, or a short one, in a frame of its own.
    else setImmediate(() => this.#begin(fields));
  }

  #begin(fields: readonly string[]): void {
    if (this.#gone) return;
    const { traffic } = this.#keeper;
    this.grpc = isGrpc(fields);
    const length = this.#arrived;
    this.#received = length === 0;
    const { headLimit: most, strictness } = traffic.parameters;
    const request = readRequest(fields, { length, most, suspect: strictness === 'observe' });
    if ('reason' in request) this.#refuse(request, fields);
    else if (traffic.shedding) this.#refuse(refusals.memory, fields);
    else this.#converse(request);
  }

  /** How long the body is, if all of it is here already. */
  get #arrived(): number | undefined {
    const stream = this.#stream;
    if (stream.endAfterHeaders) return 0;
    return stream.state.remoteClose === 1 ? stream.readableLength : undefined;
  }

  #converse({ head, octets }: Request): void {
    const { traffic } = this.#keeper;
    for (const { reason } of head.observed ?? []) traffic.tally.metrics.observed.inc({ reason });
    traffic.tally.received(octets.length);
    const conversation = converse(this, traffic, head, octets);
    this.#conversation = conversation;
    conversation.begin(head, octets, octets.length);
    if (!this.#received) this.#stream.on('data', (body: Buffer) => this.#read(body));
  }

  #refuse(refusal: Refusal, fields: readonly string[]): void {
    const bodiless = fields[fields.indexOf(':method') + 1] === 'HEAD';
    const entry = () => unreadEntry(this.#keeper.origin, 'HTTP/2');
    const answer = refuseUnread(this.#keeper.traffic, refusal, { entry, bodiless: bodiless || this.grpc });
    reply(this, answer, { close: false, bodiless });
    this.finished();
  }

  #read(octets: Buffer): void {
    this.#keeper.traffic.tally.received(octets.length);
    // After the response nobody wants the rest, but the client must be able to send it.
    this.#conversation?.onClientData(octets, 0);
  }

  #readEnd(): void {
    // A stream that is reset without an error ends too, as node:http2 has it, but not its body.
    if (this.#received || this.#stream.closed) return;
    this.#received = true;
    if (this.#trailers) this.#conversation?.onClientTrailers?.(this.#trailers);
    this.#conversation?.onClientBodyEnd();
  }

  respond(status: number, fields: readonly string[], end: boolean, trailers = false): void {
    if (this.#gone) return;
    if (status < 200) this.#stream.additionalHeaders({ ':status': status, ...gather(fields) });
    else {
      const options = { endStream: end, waitForTrailers: trailers && !end, sendDate: false };
      this.#stream.respond([':status', String(status), ...fields], options);
    }
    this.#ending ||= end;
  }

  write(octets: Buffer): boolean {
    if (this.#gone) return true;
    this.#keeper.traffic.tally.sent(octets.length);
    this.#keeper.onAnswered();
    const release = releaseAfter(octets);
    return this.#stream.write(octets, release && ((error) => this.#release(release, error)));
  }

  // A stream that is reset counts as written, but its octets may still be waiting in the session.
  #release(release: (error: Error) => void, error: Error | null | undefined): void {
    if (!error && !this.#stream.destroyed) (release as () => void)();
  }

  end(trailers: readonly string[] = []): void {
    if (this.#ending || this.#gone) return;
    this.#ending = true;
    this.#closing = trailers;
    this.#stream.end();
  }

  #sendTrailers(): void {
    if (!this.#gone) this.#stream.sendTrailers(gather(this.#closing));
  }

  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  finished(): void {
    this.#conversation = undefined;
    this.#settled = true;
    const { now, parameters } = this.#keeper.traffic;
    // What is still to be sent has the client's time.
    this.deadline = now + parameters.clientTimeout;
    // The response is complete; the rest of the request is for nobody: RFC 9113 8.1.
    if (!this.#received) this.#stream.close(NO_ERROR);
    this.resume();
  }

  cut(): void {
    this.reset(INTERNAL_ERROR);
  }

  /** Ends the stream at once; @param code says why. */
  reset(code: number): void {
    // Whoever asks for this knows; 'close' is then not the client's doing.
    this.#conversation = undefined;
    this.#settled = true;
    // node:http2 ends a stream before it resets it, and half a response would look whole.
    this.#stream._final = (done) => done();
    this.#stream.close(code);
  }

  /** The time is up. */
  onDeadline(): void {
    if (this.#conversation) this.#conversation.onDeadline();
    else this.reset(CANCEL);
  }

  #close(): void {
    const conversation = this.#conversation;
    this.#conversation = undefined;
    const cancelled = !this.#settled;
    conversation?.abandon();
    this.#keeper.onGone(this, cancelled);
  }

  tunnel(): void {
    throw new Error('A stream of HTTP/2 switches to no other protocol');
  }
}
