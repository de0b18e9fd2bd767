// One request and its response, from the whole head of the one to the last octet of the other.

import { Account, type Outcome } from './account.ts';
import { type Answer, answerOf, continueAnswer, type Problem, reasonOf } from './answer.ts';
import { freeAfter } from './blocks.ts';
import type { OwnAnswer, Taken } from './converse.ts';
import { broken, invalid, late, unreachable } from './failure.ts';
import { mostForwarded, passageOf, writeHead } from './forward.ts';
import { type Body, bodyOf } from './http/body.ts';
import { type Refusal, refusals } from './http/refusal.ts';
import type { RequestHead } from './http/request-head.ts';
import { reply } from './http2/grpc.ts';
import type { Conversation, Peer } from './peer.ts';
import type { Pool } from './pool.ts';
import { Relay } from './relay.ts';
import type { Rule } from './routes/rule.ts';
import type { Traffic } from './traffic.ts';
import type { Upstream, UpstreamUser } from './upstream.ts';

// A body may begin slowly; from then on it must keep its average.
const slowStart = 10_000;

const noBody = Buffer.alloc(0);

export class Exchange implements Conversation, UpstreamUser {
  readonly #peer: Peer;
  readonly #traffic: Traffic;
  readonly #rule: Rule;
  readonly #pool: Pool;
  readonly #own: OwnAnswer | undefined;
  readonly #account: Account;
  readonly #method: string;
  /** 100 Continue is owed. */
  #owesContinue: boolean;
  readonly #request: Body;
  readonly #chunkedRequest: boolean;
  /** All that has been given to the application so far, while it may have to be given again. */
  #replay: Buffer | undefined;
  readonly #repeatable: boolean;
  #retried = false;
  #upstream: Upstream | undefined;
  readonly #relay: Relay;
  /** The final response has begun. */
  #relaying = false;
  #heldBack = false;
  #ownLength = 0;
  #over = false;

  constructor(peer: Peer, traffic: Traffic, { head, buffer, rule, pool, own }: Taken) {
    this.#peer = peer;
    this.#traffic = traffic;
    this.#account = new Account(peer, traffic, head, buffer);
    this.#rule = rule;
    this.#pool = pool;
    this.#own = own;
    this.#method = head.method;
    const { method, minor, upgrade, framing } = head;
    const { streams } = peer;
    const edits = traffic.responseEdits(rule, peer.identity.protocol);
    this.#relay = new Relay({ method, minor, upgrade, streams, edits }, head.keepsAlive);
    this.#owesContinue = head.expectsContinue;
    this.#chunkedRequest = framing.chunked;
    this.#request = bodyOf(framing, streams !== undefined, this.#bodyLimit);
    this.#repeatable = head.isIdempotent && !head.hasBody;
  }

  get #bodyLimit(): number | undefined {
    return this.#rule.bodyLimit ?? this.#traffic.parameters.bodyLimit;
  }

  /** Sends the head and what there is of the body in buffer[from); returns the offset after it. */
  begin(head: RequestHead, buffer: Buffer, from: number): number {
    if (this.#own) return this.#answerAlone(this.#own, buffer, from);
    const limit = this.#bodyLimit;
    if (limit !== undefined && head.framing.length > limit) return this.#refuse(refusals.bodyLength, buffer);
    const after = this.#request.done ? from : this.#request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(this.#request.refusal!, buffer);
    // A client that sends the body at once does not wait for permission.
    if (after > from) this.#owesContinue = false;
    const about = { identity: this.#peer.identity, rule: this.#rule, pool: this.#pool, account: this.#account };
    const passage = passageOf(buffer, head, about, this.#traffic.parameters.traceparent === 'make');
    const out = Buffer.allocUnsafe(mostForwarded(passage) + this.#request.mostWritten(this.#chunkedRequest));
    let to = writeHead(buffer, out, passage);
    if (after > from) to = this.#request.write(buffer, out, to, this.#chunkedRequest);
    this.#replay = out.subarray(0, to);
    this.#connect(this.#pool.take(this, this.#repeatable));
    return after;
  }

  /** The application is not asked. What the client still has to send of the request is not waited for. */
  #answerAlone({ answer, reason }: OwnAnswer, buffer: Buffer, from: number): number {
    if (reason) this.#traffic.tally.metrics.refusals.inc({ reason });
    const after = this.#request.done ? from : buffer.length;
    this.#finish(answer, reason);
    return after;
  }

  #connect(upstream: Upstream): void {
    this.#upstream = upstream;
    upstream.begin(this.#replay!);
    if (upstream.connected) this.#sendContinue();
    this.#touch();
  }

  onUpstreamConnect(): void {
    this.#sendContinue();
    this.#touch();
  }

  // Only now is it known that somebody will take the body.
  #sendContinue(): void {
    if (!this.#owesContinue) return;
    this.#owesContinue = false;
    const { streams } = this.#peer;
    if (streams) streams.respond(100, [], false);
    else this.#peer.write(continueAnswer);
  }

  /** The next octets of the request; returns the offset after what belongs to its body. */
  onClientData(buffer: Buffer, from: number): number {
    const request = this.#request;
    if (request.done) return from;
    const after = request.read(buffer, from, buffer.length);
    if (after < 0) return this.#refuse(request.refusal!, buffer);
    this.#replay = undefined;
    const out = this.#chunkedRequest ? request.asChunk(buffer) : buffer.subarray(from, after);
    if (out.length > 0 && !this.#upstream!.write(out, freeAfter(out))) this.#peer.pause();
    this.#touch();
    return after;
  }

  onClientBodyEnd(): void {
    const request = this.#request;
    if (this.#over || request.done) return;
    if (request.endsWithoutFrame) {
      request.end();
      this.#replay = undefined;
      this.#upstream!.write(request.asChunk(noBody));
      this.#touch();
    } else this.abandon();
  }

  onUpstreamDrain(): void {
    this.#peer.resume();
    this.#touch();
  }

  onClientDrain(): void {
    this.#upstream?.resume();
    this.#touch();
  }

  onUpstreamData(buffer: Buffer, from: number, end: number): void {
    this.#replay = undefined;
    const relay = this.#relay;
    // With half the request outstanding, nobody can tell where the next one would start.
    const mayKeep = this.#request.done && !this.#traffic.leaving && !this.#peer.ended;
    const out = relay.read(buffer, from, end, mayKeep);
    if (relay.invalid === undefined) this.#send(out);
    else this.#fail(invalid(this.#pool, relay.invalid));
    if (relay.rest) this.#switchProtocol(relay.rest);
    if (!this.#over) this.#touch();
  }

  onUpstreamEnd(): void {
    const out = this.#relay.end();
    if (out) this.#send(out);
    else this.#broken(undefined);
  }

  #send(octets: Buffer): void {
    if (this.#relay.status !== 0) this.#relaying = true;
    const more = octets.length === 0 || this.#peer.write(octets);
    if (this.#relay.done) this.#complete();
    else if (!more) this.#upstream!.pause();
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    const upstream = this.#upstream!;
    // Half a request in it, or half a response: nobody else may have it.
    if (this.#relay.keepAliveSeconds !== undefined) this.#pool.learn(this.#relay.keepAliveSeconds);
    if (this.#relay.reusable && this.#request.done) this.#pool.give(upstream);
    else upstream.destroy();
    this.#account.answered(this.#relay.status, this);
    this.#peer.streams?.end();
    this.#peer.finished(this.#relay.keep && this.#request.done);
  }

  #switchProtocol(rest: Buffer): void {
    this.#over = true;
    this.#account.answered(this.#relay.status, this);
    this.#peer.tunnel(this.#upstream!, rest);
  }

  get outcome(): Outcome {
    return {
      ...{
        rule: this.#rule.name,
        receivedBytes: this.#request.length,
        sentBytes: this.#ownLength || this.#relay.bodyLength,
      },
      ...(this.#upstream && { upstream: this.#pool.name }),
    };
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    if (!this.#over) this.#broken(error);
  }

  /** The connection ended before the response did. */
  #broken(error: NodeJS.ErrnoException | undefined): void {
    const upstream = this.#upstream!;
    // What never left may go elsewhere whatever it is; what did leave, only when asking twice does no harm.
    const replay = upstream.reused && !this.#retried && (upstream.unsent || this.#repeatable) && this.#replay;
    if (replay) this.#retry(upstream);
    else if (upstream.connected) this.#fail(broken(this.#pool, upstream.reused && !this.#relaying, error));
    else this.#fail(unreachable(this.#pool));
  }

  #retry(stale: Upstream): void {
    this.#retried = true;
    this.#traffic.tally.metrics.upstreamRetries.inc();
    stale.destroy();
    this.#connect(this.#pool.connect(this));
  }

  /** Nothing moved for as long as it may. Whose turn was it? */
  onDeadline(): void {
    const upstream = this.#upstream!;
    if (this.#peer.needsDrain) this.abandon();
    else if (upstream.connected && !this.#request.done && !upstream.needsDrain)
      this.#refuse(refusals.bodyTimeout, noBody);
    else this.#fail(late(this.#pool));
  }

  #touch(): void {
    const { now, parameters } = this.#traffic;
    const upstream = this.#upstream!;
    if (!upstream.connected) this.#peer.deadline = now + parameters.upstreamConnectTimeout;
    else if (this.#peer.needsDrain) this.#peer.deadline = now + parameters.clientTimeout;
    else if (this.#request.done || upstream.needsDrain)
      this.#peer.deadline = now + (this.#rule.upstreamTimeout ?? parameters.upstreamTimeout);
    else this.#peer.deadline = Math.min(now + parameters.clientTimeout, this.#slowest);
    // Whoever was held back cannot be told that it is slow.
    this.#heldBack ||= upstream.needsDrain;
  }

  /** When the body must have brought more than it has, on the clock of deadlines. */
  get #slowest(): number {
    const rate = this.#traffic.parameters.bodyMinimumRate;
    if (rate === 0 || this.#heldBack) return Number.POSITIVE_INFINITY;
    return this.#account.started + slowStart + (this.#request.length / rate) * 1000;
  }

  /** Refuses the request, whose body turned out to be wrong, and with it the connection: all of the buffer counts as read. */
  #refuse({ status, reason, detail }: Refusal, buffer: Buffer): number {
    this.#traffic.tally.metrics.refusals.inc({ reason });
    this.#relay.keep = false;
    this.#fail({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
    return buffer.length;
  }

  #fail(problem: Problem): void {
    if (this.#over) return;
    this.#upstream?.destroy();
    const reason = reasonOf(problem);
    if (this.#relaying) {
      this.#over = true;
      this.#account.answered(this.#relay.status, this, reason);
      this.#peer.cut();
    } else this.#finish(answerOf(problem), reason);
  }

  #finish(answer: Answer, reason: string | undefined): void {
    this.#over = true;
    const bodiless = this.#method === 'HEAD';
    this.#ownLength = bodiless ? 0 : Buffer.byteLength(answer.body);
    this.#account.answered(answer.status, this, reason);
    const close = !this.#relay.keep || this.#traffic.leaving || !this.#request.done || this.#peer.ended;
    reply(this.#peer, this.#traffic.ownAnswer(answer, this.#peer.identity.protocol), { close, bodiless });
    this.#peer.finished(!close);
  }

  /** The client will send no more: fatal in the middle of a body, else it may still want its response. */
  onClientEnd(): void {
    if (!this.#request.done) this.abandon();
  }

  /** The client is gone, or too slow. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#upstream?.destroy();
    this.#account.abandoned(this);
    this.#peer.cut();
  }
}
