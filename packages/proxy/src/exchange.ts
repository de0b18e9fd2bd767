// One request and its response, from the whole head of the one to the last octet of the other, where the application speaks
// HTTP/1.

import { freeAfter } from './blocks.ts';
import { CommonExchange } from './common-exchange.ts';
import type { Taken } from './converse.ts';
import { broken, invalid, unreachable } from './failure.ts';
import { mostForwarded, type Passage, writeHead } from './forward.ts';
import type { Peer } from './peer.ts';
import { Relay } from './relay.ts';
import type { Traffic } from './traffic.ts';
import type { Upstream, UpstreamUser } from './upstream.ts';

const noBody = Buffer.alloc(0);

export class Exchange extends CommonExchange<Upstream> implements UpstreamUser {
  readonly #chunkedRequest: boolean;
  /** All that has been given to the application so far, while it may have to be given again. */
  #replay: Buffer | undefined;
  #retried = false;
  readonly #relay: Relay;

  constructor(peer: Peer, traffic: Traffic, taken: Taken) {
    super(peer, traffic, taken);
    const { method, minor, upgrade, framing, keepsAlive } = taken.head;
    const { streams } = peer;
    const edits = traffic.responseEdits(taken.rule, peer.identity.protocol);
    this.#relay = new Relay({ method, minor, upgrade, streams, edits }, keepsAlive);
    this.#chunkedRequest = framing.chunked;
  }

  protected send(passage: Passage, buffer: Buffer, from: number, after: number): number {
    const { request } = this;
    const out = Buffer.allocUnsafe(mostForwarded(passage) + request.mostWritten(this.#chunkedRequest));
    let to = writeHead(buffer, out, passage);
    if (after > from) to = request.write(buffer, out, to, this.#chunkedRequest);
    this.#replay = out.subarray(0, to);
    this.#connect(this.pool.take(this, this.repeatable));
    return after;
  }

  #connect(upstream: Upstream): void {
    this.upstream = upstream;
    upstream.begin(this.#replay!);
    if (upstream.connected) this.onReady();
    else this.touch();
  }

  onUpstreamConnect(): void {
    this.onReady();
  }

  protected give(buffer: Buffer, from: number, after: number): void {
    this.#replay = undefined;
    const out = this.#chunkedRequest ? this.request.asChunk(buffer) : buffer.subarray(from, after);
    if (out.length > 0 && !this.upstream!.write(out, freeAfter(out))) this.peer.pause();
    this.touch();
  }

  onClientBodyEnd(): void {
    const { request } = this;
    if (this.account.over || request.done) return;
    if (request.endsWithoutFrame) {
      request.end();
      this.#replay = undefined;
      this.upstream!.write(request.asChunk(noBody));
      this.touch();
    } else this.abandon();
  }

  onUpstreamDrain(): void {
    this.onDrain();
  }

  onUpstreamData(buffer: Buffer, from: number, end: number): void {
    this.#replay = undefined;
    const relay = this.#relay;
    const out = relay.read(buffer, from, end, this.mayKeep);
    if (relay.invalid === undefined) this.#send(out);
    else this.fail(invalid(this.pool, relay.invalid));
    if (relay.rest) this.#switchProtocol(relay.rest);
    if (!this.account.over) this.touch();
  }

  onUpstreamEnd(): void {
    const out = this.#relay.end();
    if (out) this.#send(out);
    else this.#broken(undefined);
  }

  #send(octets: Buffer): void {
    this.status = this.#relay.status;
    const more = octets.length === 0 || this.peer.write(octets);
    if (this.#relay.done) this.#complete();
    else if (!more) this.upstream!.pause();
  }

  #complete(): void {
    if (this.account.over) return;
    const { keepAliveSeconds, reusable, keep } = this.#relay;
    const upstream = this.upstream!;
    if (keepAliveSeconds !== undefined) this.pool.learn(keepAliveSeconds);
    // Half a request in it, or half a response: nobody else may have it.
    if (reusable && this.request.done) this.pool.give(upstream);
    else upstream.destroy();
    this.account.answered(this.status, this);
    this.peer.streams?.end();
    this.peer.finished(keep && this.request.done);
  }

  #switchProtocol(rest: Buffer): void {
    this.peer.tunnel(this.upstream!, rest, this.account.switched(this.status, this));
  }

  protected get sent(): number {
    return this.#relay.bodyLength;
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    if (!this.account.over) this.#broken(error);
  }

  /** The connection ended before the response did. */
  #broken(error: NodeJS.ErrnoException | undefined): void {
    const upstream = this.upstream!;
    const race = upstream.reused && this.status === 0;
    if (race) this.pool.lostRace(upstream, this.account.started);
    // What never left may go elsewhere whatever it is; what did leave, only when asking twice does no harm.
    if (race && !this.#retried && (upstream.unsent || this.repeatable) && this.#replay) this.#retry(upstream);
    else if (upstream.connected) this.fail(broken(this.pool, race, error));
    else this.fail(unreachable(this.pool));
  }

  #retry(stale: Upstream): void {
    this.#retried = true;
    this.traffic.tally.metrics.upstreamRetries.inc();
    stale.destroy();
    this.#connect(this.pool.connect(this));
  }

  protected drop(): void {
    this.upstream?.destroy();
  }
}
