// One request and its response where the application speaks HTTP/2 (h2c): with its trailers and resets for a client that
// speaks it too (gRPC), in HTTP/1's own terms for any other.

import { CommonExchange } from '../common-exchange.ts';
import type { Taken } from '../converse.ts';
import { invalid } from '../failure.ts';
import type { Passage } from '../forward.ts';
import { refusals } from '../http/refusal.ts';
import type { Peer } from '../peer.ts';
import type { Traffic } from '../traffic.ts';
import { Attempt, type AttemptUser } from './attempt.ts';
import { isGrpcFamily } from './grpc.ts';
import { requestFields, responseFields, trailerFields } from './head.ts';
import { ResponseWriter } from './response.ts';
import type { H2cPool } from './upstream.ts';

const mostInterim = 10;

export class H2cExchange extends CommonExchange<Attempt, H2cPool> implements AttemptUser {
  readonly #response: ResponseWriter;
  /** What to ask again with, until some of the body has left. */
  #fields: string[] | undefined;
  #retried = false;
  #interims = 0;

  constructor(peer: Peer, traffic: Traffic, taken: Taken<H2cPool>) {
    super(peer, traffic, taken);
    this.#response = new ResponseWriter(peer, taken.head);
  }

  protected send(passage: Passage, buffer: Buffer, from: number, after: number): number {
    // It would end in a tunnel, and there is none in a stream.
    if (passage.head.method === 'CONNECT') return this.refuse(refusals.method, buffer);
    const fields = requestFields(buffer, passage, this.peer.streams !== undefined);
    if (!fields) return this.refuse(refusals.fieldCount, buffer);
    this.grpc = isGrpcFamily(fields);
    this.#ask(fields, this.request.done && this.request.pending === 0);
    if (after > from) this.give(buffer);
    return after;
  }

  #ask(fields: string[], ends: boolean): void {
    this.#fields = fields;
    this.upstream = new Attempt(this.pool, this.pool.choose(this.#retried), fields, ends);
    // The time to connect runs from here; whoever is connected already is ready at once.
    this.touch();
    this.upstream.begin(this);
  }

  protected give(buffer: Buffer): void {
    const { pieces, pending, done } = this.request;
    const attempt = this.upstream!;
    this.#fields = undefined;
    const single = pieces.length === 2;
    if (pending > 0 && !attempt.write(single ? buffer.subarray(pieces[0], pieces[1]) : this.#joined(buffer)))
      this.peer.pause();
    // A stream may still bring trailers.
    if (done && !this.peer.streams) attempt.end();
    this.touch();
  }

  #joined(buffer: Buffer): Buffer {
    const out = Buffer.allocUnsafe(this.request.pending);
    this.request.write(buffer, out, 0, false);
    return out;
  }

  onClientTrailers(fields: readonly string[]): void {
    if (this.upstream) this.upstream.requestTrailers = trailerFields(fields);
  }

  onClientBodyEnd(): void {
    const request = this.request;
    if (this.account.over) return;
    if (request.endsWithoutFrame) request.end();
    if (request.done) {
      this.#fields = undefined;
      this.upstream!.end();
      this.touch();
    } else this.abandon();
  }

  onInterim(status: number, fields: readonly string[]): void {
    if (++this.#interims > mostInterim) this.fail(invalid(this.pool, 'Too many interim responses'));
    // 100 is ours to give.
    else if (status !== 100) this.#response.interim(status, responseFields(fields, undefined));
  }

  onHead(status: number, fields: readonly string[], ended: boolean): void {
    this.#fields = undefined;
    if (status < 200 || status > 599) this.fail(invalid(this.pool, `Its status is ${status}`));
    else {
      const edits = this.traffic.responseEdits(this.rule, this.peer.identity.protocol);
      this.status = status;
      this.#response.head(status, responseFields(fields, edits), ended, this.mayKeep);
      this.touch();
    }
  }

  onBody(octets: Buffer): void {
    if (!this.#response.body(octets)) this.upstream!.pause();
    this.touch();
  }

  onWhole(trailers: readonly string[]): void {
    const { keep } = this.#response;
    const { done } = this.request;
    this.#response.end(trailers);
    this.account.answered(this.status, this);
    if (!done) this.upstream!.drop();
    this.peer.finished(keep && done);
  }

  protected get sent(): number {
    return this.#response.sent;
  }

  onBroken(): void {
    const attempt = this.upstream!;
    if (this.#fields && !this.#retried && attempt.mayRepeat(this.repeatable)) this.#retry(this.#fields);
    else {
      const { problem } = attempt;
      if (problem) this.fail(problem);
      else this.#reset(attempt.code);
    }
  }

  #retry(fields: string[]): void {
    this.#retried = true;
    this.traffic.tally.metrics.upstreamRetries.inc();
    this.#ask(fields, this.request.done);
  }

  /** The application gave this one request up. A client of HTTP/2 is told with the same code, which means something in gRPC. */
  #reset(code: number): void {
    const { streams } = this.peer;
    this.pool.complain('reset');
    if (streams) {
      this.account.answered(this.status || 502, this, 'reset');
      streams.reset(code);
    } else this.fail({ status: 502, code: 'PROXY_UPSTREAM_CLOSED', detail: 'The application gave the request up' });
  }

  protected drop(): void {
    this.upstream?.drop();
  }
}
