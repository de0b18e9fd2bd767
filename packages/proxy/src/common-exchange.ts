// What every exchange does alike, whatever the application speaks: what a request has to pass before it is sent on, how
// long either side may be silent, and how it ends. Its subclasses know the application.

import { Account, type Outcome } from './account.ts';
import { type Answer, answerOf, continueAnswer, type Problem, reasonOf } from './answer.ts';
import type { OwnAnswer, Taken } from './converse.ts';
import { late } from './failure.ts';
import { type Passage, passageOf } from './forward.ts';
import { type Body, bodyOf } from './http/body.ts';
import { type Refusal, refusals } from './http/refusal.ts';
import type { RequestHead } from './http/request-head.ts';
import { reply } from './http2/grpc.ts';
import type { Conversation, Peer } from './peer.ts';
import type { Pool } from './pool.ts';
import type { Rule } from './routes/rule.ts';
import type { Traffic } from './traffic.ts';

// A body may begin slowly; from then on it must keep its average.
const slowStart = 10_000;

const noBody = Buffer.alloc(0);

/** What the request is sent into, and its response read from. */
type Source = { readonly connected: boolean; readonly needsDrain: boolean; resume(): void };

export abstract class CommonExchange<U extends Source, P extends Pool = Pool> implements Conversation {
  protected readonly peer: Peer;
  protected readonly traffic: Traffic;
  protected readonly rule: Rule;
  protected readonly pool: P;
  protected readonly account: Account;
  protected readonly request: Body;
  /** It may be sent twice. */
  protected readonly repeatable: boolean;
  protected upstream: U | undefined;
  /** Of the final response, once its client has some of it. */
  protected status = 0;
  /** Either side may be silent for long: what the client has asked for says when it is enough. */
  protected grpc = false;
  readonly #own: OwnAnswer | undefined;
  readonly #method: string;
  readonly #bodyLimit: number | undefined;
  /** The client's connection may carry another request after an answer of ours. */
  #keep: boolean;
  /** 100 Continue is owed. */
  #owesContinue: boolean;
  #heldBack = false;
  #ownLength: number | undefined;

  constructor(peer: Peer, traffic: Traffic, { head, buffer, rule, pool, own }: Taken<P>) {
    this.peer = peer;
    this.traffic = traffic;
    this.rule = rule;
    this.pool = pool;
    this.account = new Account(peer, traffic, head, buffer);
    this.#bodyLimit = rule.bodyLimit ?? traffic.parameters.bodyLimit;
    this.request = bodyOf(head.framing, peer.streams !== undefined, this.#bodyLimit);
    this.repeatable = head.isIdempotent && !head.hasBody;
    this.#own = own;
    this.#method = head.method;
    // What a client sends after CONNECT without waiting is for the tunnel, and no request when there is none.
    this.#keep = head.keepsAlive && head.method !== 'CONNECT';
    this.#owesContinue = head.expectsContinue;
  }

  begin(head: RequestHead, buffer: Buffer, from: number): number {
    if (this.#own) return this.#answerAlone(this.#own, buffer, from);
    const { request, peer, rule, pool, account } = this;
    const limit = this.#bodyLimit;
    if (limit !== undefined && head.framing.length > limit) return this.refuse(refusals.bodyLength, buffer);
    const after = request.done ? from : request.read(buffer, from, buffer.length);
    if (after < 0) return this.refuse(request.refusal!, buffer);
    // A client that sends the body at once does not wait for permission.
    if (after > from) this.#owesContinue = false;
    const about = { identity: peer.identity, rule, pool, account };
    const passage = passageOf(buffer, head, about, this.traffic.parameters.traceparent === 'make');
    return this.send(passage, buffer, from, after);
  }

  /** Sends the head and the body's octets, which are in buffer[from, after); returns the offset after what it took. */
  protected abstract send(passage: Passage, buffer: Buffer, from: number, after: number): number;

  /** The application is not asked. What the client still has to send of the request is not waited for. */
  #answerAlone({ answer, reason }: OwnAnswer, buffer: Buffer, from: number): number {
    if (reason) this.traffic.tally.metrics.refusals.inc({ reason });
    const after = this.request.done ? from : buffer.length;
    this.#finish(answer, reason);
    return after;
  }

  /** Only now is it known that somebody will take the body. */
  onReady(): void {
    if (this.#owesContinue) this.#sendContinue();
    this.touch();
  }

  #sendContinue(): void {
    this.#owesContinue = false;
    const { streams } = this.peer;
    if (streams) streams.respond(100, [], false);
    else this.peer.write(continueAnswer);
  }

  onClientData(buffer: Buffer, from: number): number {
    const { request } = this;
    if (request.done) return from;
    if (this.account.over) return buffer.length;
    const after = request.read(buffer, from, buffer.length);
    if (after < 0) return this.refuse(request.refusal!, buffer);
    this.give(buffer, from, after);
    return after;
  }

  /** Sends what was just read of the body, in buffer[from, after). */
  protected abstract give(buffer: Buffer, from: number, after: number): void;

  abstract onClientBodyEnd(): void;

  onDrain(): void {
    this.peer.resume();
    this.touch();
  }

  onClientDrain(): void {
    this.upstream?.resume();
    this.touch();
  }

  /** With half the request outstanding, nobody can tell where the next one would start. */
  protected get mayKeep(): boolean {
    return this.request.done && !this.traffic.leaving && !this.peer.ended;
  }

  /** Something moved. */
  protected touch(): void {
    const { peer, request } = this;
    const { now, parameters } = this.traffic;
    const upstream = this.upstream!;
    if (!upstream.connected) peer.deadline = now + parameters.upstreamConnectTimeout;
    else if (peer.needsDrain) peer.deadline = now + parameters.clientTimeout;
    else if (this.grpc) peer.deadline = now + (this.rule.upstreamTimeout ?? parameters.tunnelTimeout);
    else if (request.done || upstream.needsDrain)
      peer.deadline = now + (this.rule.upstreamTimeout ?? parameters.upstreamTimeout);
    else peer.deadline = Math.min(now + parameters.clientTimeout, this.#slowest);
    // Whoever was held back cannot be told that it is slow.
    if (!request.done) this.#heldBack ||= upstream.needsDrain;
  }

  /** When the body must have brought more than it has, on the clock of deadlines. */
  get #slowest(): number {
    const rate = this.traffic.parameters.bodyMinimumRate;
    if (rate === 0 || this.#heldBack) return Number.POSITIVE_INFINITY;
    return this.account.started + slowStart + (this.request.length / rate) * 1000;
  }

  /** Nothing moved for as long as it may. Whose turn was it? */
  onDeadline(): void {
    const upstream = this.upstream!;
    if (this.peer.needsDrain) this.abandon();
    else if (upstream.connected && !this.request.done && !upstream.needsDrain && !this.grpc)
      this.refuse(refusals.bodyTimeout, noBody);
    else this.fail(late(this.pool));
  }

  /** Refuses the request, and with it the connection: all of the buffer counts as read. */
  protected refuse({ status, reason, detail }: Refusal, buffer: Buffer): number {
    this.traffic.tally.metrics.refusals.inc({ reason });
    this.#keep = false;
    this.fail({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
    return buffer.length;
  }

  protected fail(problem: Problem): void {
    if (this.account.over) return;
    this.drop();
    const reason = reasonOf(problem);
    if (this.status === 0) this.#finish(answerOf(problem), reason);
    else {
      this.account.answered(this.status, this, reason);
      this.peer.cut();
    }
  }

  #finish(answer: Answer, reason: string | undefined): void {
    const { peer, traffic } = this;
    const bodiless = this.#method === 'HEAD';
    // To a client of gRPC all of it goes in a head.
    this.#ownLength = bodiless || peer.streams?.grpc ? 0 : Buffer.byteLength(answer.body);
    this.account.answered(answer.status, this, reason);
    const close = !this.#keep || !this.mayKeep;
    reply(peer, traffic.ownAnswer(answer, peer.identity.protocol), { close, bodiless });
    peer.finished(!close);
  }

  /** The application is not to go on with it. */
  protected abstract drop(): void;

  get outcome(): Outcome {
    return {
      ...{ rule: this.rule.name, receivedBytes: this.request.length, sentBytes: this.#ownLength ?? this.sent },
      ...(this.upstream && { upstream: this.pool.name }),
    };
  }

  /** Octets of the response's body. */
  protected abstract readonly sent: number;

  onClientEnd(): void {
    if (!this.request.done) this.abandon();
  }

  abandon(): void {
    if (this.account.over) return;
    this.drop();
    this.account.abandoned(this);
    this.peer.cut();
  }
}
