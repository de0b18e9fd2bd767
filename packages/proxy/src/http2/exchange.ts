// One request and its response where the application speaks HTTP/2 (h2c): with its trailers and resets for a client that
// speaks it too (gRPC), in HTTP/1's own terms for any other.

import { performance } from 'node:perf_hooks';
import { Account, type Outcome } from '../account.ts';
import { answerOf, type Problem, reasonOf } from '../answer.ts';
import { invalid, late } from '../failure.ts';
import { passageOf } from '../forward.ts';
import { type Body, bodyOf } from '../http/body.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Conversation, Peer } from '../peer.ts';
import type { Rule } from '../routes/rule.ts';
import type { Traffic } from '../traffic.ts';
import { Attempt, type AttemptUser } from './attempt.ts';
import { isGrpcFamily, reply } from './grpc.ts';
import { requestFields, responseFields, trailerFields } from './head.ts';
import { ResponseWriter } from './response.ts';
import type { H2cPool } from './upstream.ts';

const noBody = Buffer.alloc(0);
const mostInterim = 10;

/** A request as it was taken on. */
export type TakenByH2c = {
  readonly head: RequestHead;
  readonly buffer: Buffer;
  readonly rule: Rule;
  readonly pool: H2cPool;
};

export class H2cExchange implements Conversation, AttemptUser {
  readonly #peer: Peer;
  readonly #traffic: Traffic;
  readonly #rule: Rule;
  readonly #pool: H2cPool;
  readonly #account: Account;
  readonly #method: string;
  readonly #request: Body;
  readonly #repeatable: boolean;
  readonly #response: ResponseWriter;
  /** Either side may be silent for long: what the client has asked for says when it is enough. */
  #grpc = false;
  #owesContinue: boolean;
  /** What to ask again with, until some of the body has left. */
  #fields: string[] | undefined;
  #retried = false;
  #attempt: Attempt | undefined;
  #interims = 0;
  #over = false;

  constructor(peer: Peer, traffic: Traffic, { head, buffer, rule, pool }: TakenByH2c) {
    this.#peer = peer;
    this.#traffic = traffic;
    this.#rule = rule;
    this.#pool = pool;
    this.#account = new Account(peer, traffic, head, buffer);
    this.#method = head.method;
    this.#request = bodyOf(head.framing, peer.streams !== undefined, this.#bodyLimit);
    this.#repeatable = head.isIdempotent && !head.hasBody;
    this.#response = new ResponseWriter(peer, head);
    this.#owesContinue = head.expectsContinue;
  }

  get #bodyLimit(): number | undefined {
    return this.#rule.bodyLimit ?? this.#traffic.parameters.bodyLimit;
  }

  begin(head: RequestHead, buffer: Buffer, from: number): number {
    const limit = this.#bodyLimit;
    const request = this.#request;
    // It would end in a tunnel, and there is none in a stream.
    if (head.method === 'CONNECT') return this.#refuse(refusals.method, buffer);
    if (limit !== undefined && head.framing.length > limit) return this.#refuse(refusals.bodyLength, buffer);
    const after = request.done ? from : request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(request.refusal!, buffer);
    // A client that sends the body at once does not wait for permission.
    if (after > from) this.#owesContinue = false;
    const about = { identity: this.#peer.identity, rule: this.#rule, pool: this.#pool, account: this.#account };
    const passage = passageOf(buffer, head, about, this.#traffic.parameters.traceparent === 'make');
    const fields = requestFields(buffer, passage, this.#peer.streams !== undefined);
    if (!fields) return this.#refuse(refusals.fieldCount, buffer);
    this.#grpc = isGrpcFamily(fields);
    this.#ask(fields, request.done && request.pending === 0);
    if (after > from) this.#give(buffer);
    return after;
  }

  #ask(fields: string[], ends: boolean): void {
    this.#fields = fields;
    const attempt = new Attempt(this.#pool, this.#pool.choose(this.#retried), fields, ends);
    this.#attempt = attempt;
    attempt.begin(this);
  }

  onReady(): void {
    // Only now is it known that somebody will take the body.
    if (this.#owesContinue) this.#response.interim(100, []);
    this.#owesContinue = false;
    this.#touch();
  }

  onClientData(buffer: Buffer, from: number): number {
    const request = this.#request;
    if (this.#over) return buffer.length;
    if (request.done) return from;
    const after = request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(request.refusal!, buffer);
    this.#give(buffer);
    return after;
  }

  /** Passes on what the last read of the body found. */
  #give(buffer: Buffer): void {
    const { pieces, pending, done } = this.#request;
    const attempt = this.#attempt!;
    this.#fields = undefined;
    const single = pieces.length === 2;
    if (pending > 0 && !attempt.write(single ? buffer.subarray(pieces[0], pieces[1]) : this.#joined(buffer)))
      this.#peer.pause();
    // A stream may still bring trailers.
    if (done && !this.#peer.streams) attempt.end();
    this.#touch();
  }

  #joined(buffer: Buffer): Buffer {
    const out = Buffer.allocUnsafe(this.#request.pending);
    this.#request.write(buffer, out, 0, false);
    return out;
  }

  onClientTrailers(fields: readonly string[]): void {
    if (this.#attempt) this.#attempt.requestTrailers = trailerFields(fields);
  }

  onClientBodyEnd(): void {
    const request = this.#request;
    if (this.#over) return;
    if (request.endsWithoutFrame) request.end();
    if (request.done) {
      this.#fields = undefined;
      this.#attempt!.end();
      this.#touch();
    } else this.abandon();
  }

  onDrain(): void {
    this.#peer.resume();
    this.#touch();
  }

  onClientDrain(): void {
    this.#attempt?.resume();
    this.#touch();
  }

  onInterim(status: number, fields: readonly string[]): void {
    if (++this.#interims > mostInterim) this.#fail(invalid(this.#pool, 'Too many interim responses'));
    // 100 is ours to give.
    else if (status !== 100) this.#response.interim(status, responseFields(fields, undefined));
  }

  onHead(status: number, fields: readonly string[], ended: boolean): void {
    this.#fields = undefined;
    if (status < 200 || status > 599) this.#fail(invalid(this.#pool, `Its status is ${status}`));
    else {
      const edits = this.#traffic.responseEdits(this.#rule, this.#peer.identity.protocol);
      this.#response.head(status, responseFields(fields, edits), ended, this.#mayKeep);
      this.#touch();
    }
  }

  /** With half the request outstanding, nobody can tell where the next one would start. */
  get #mayKeep(): boolean {
    return this.#request.done && !this.#traffic.leaving && !this.#peer.ended;
  }

  onBody(octets: Buffer): void {
    if (!this.#response.body(octets)) this.#attempt!.pause();
    this.#touch();
  }

  onWhole(trailers: readonly string[]): void {
    const { status, keep } = this.#response;
    const { done } = this.#request;
    this.#over = true;
    this.#response.end(trailers);
    this.#account.answered(status, this);
    if (!done) this.#attempt!.drop();
    this.#peer.finished(keep && done);
  }

  get outcome(): Outcome {
    return {
      ...{ rule: this.#rule.name, receivedBytes: this.#request.length, sentBytes: this.#response.sent },
      ...(this.#attempt && { upstream: this.#pool.name }),
    };
  }

  onBroken(): void {
    const attempt = this.#attempt!;
    if (this.#fields && !this.#retried && attempt.mayRepeat(this.#repeatable)) this.#retry(this.#fields);
    else {
      const { problem } = attempt;
      if (problem) this.#fail(problem);
      else this.#reset(attempt.code);
    }
  }

  #retry(fields: string[]): void {
    this.#retried = true;
    this.#traffic.tally.metrics.upstreamRetries.inc();
    this.#ask(fields, this.#request.done);
  }

  /** The application gave this one request up. A client of HTTP/2 is told with the same code, which means something in gRPC. */
  #reset(code: number): void {
    const { streams } = this.#peer;
    this.#pool.complain('reset');
    if (streams) {
      this.#over = true;
      this.#account.answered(this.#response.status || 502, this, 'reset');
      streams.reset(code);
    } else this.#fail({ status: 502, code: 'PROXY_UPSTREAM_CLOSED', detail: 'The application gave the request up' });
  }

  onDeadline(): void {
    const attempt = this.#attempt!;
    if (this.#peer.needsDrain) this.abandon();
    else if (attempt.connected && !this.#request.done && !attempt.needsDrain && !this.#grpc)
      this.#refuse(refusals.bodyTimeout, noBody);
    else this.#fail(late(this.#pool));
  }

  #touch(): void {
    if (!this.#over) this.#peer.deadline = performance.now() + this.#patience;
  }

  /** Milliseconds that nothing may move for. */
  get #patience(): number {
    const { upstreamConnectTimeout, clientTimeout, tunnelTimeout, upstreamTimeout } = this.#traffic.parameters;
    const attempt = this.#attempt!;
    if (!attempt.connected) return upstreamConnectTimeout;
    if (this.#peer.needsDrain) return clientTimeout;
    if (this.#grpc) return this.#rule.upstreamTimeout ?? tunnelTimeout;
    const theirs = this.#request.done || attempt.needsDrain;
    return theirs ? (this.#rule.upstreamTimeout ?? upstreamTimeout) : clientTimeout;
  }

  #refuse({ status, reason, detail }: Refusal, buffer: Buffer): number {
    this.#traffic.tally.metrics.refusals.inc({ reason });
    this.#response.keep = false;
    this.#fail({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
    return buffer.length;
  }

  #fail(problem: Problem): void {
    if (this.#over) return;
    const { status, keep } = this.#response;
    this.#over = true;
    this.#attempt?.drop();
    this.#account.answered(status || problem.status, this, reasonOf(problem));
    if (status !== 0) this.#peer.cut();
    else {
      const close = !keep || !this.#mayKeep;
      const own = this.#traffic.ownAnswer(answerOf(problem), this.#peer.identity.protocol);
      reply(this.#peer, own, { close, bodiless: this.#method === 'HEAD' });
      this.#peer.finished(!close);
    }
  }

  onClientEnd(): void {
    if (!this.#request.done) this.abandon();
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#attempt?.drop();
    this.#account.abandoned(this);
    this.#peer.cut();
  }
}
