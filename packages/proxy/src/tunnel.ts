// Octets both ways after HTTP has ended on a connection (WebSocket), each side held back by the other, each end passed on
// by itself.

import type { Traffic } from './traffic.ts';
import type { Upstream, UpstreamUser } from './upstream.ts';

/** The client's side of a tunnel. */
export type TunnelPeer = {
  deadline: number;
  write(octets: Buffer): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  cut(): void;
};

const lingering = 2_000;

export class Tunnel implements UpstreamUser {
  readonly #peer: TunnelPeer;
  readonly #traffic: Traffic;
  readonly #upstream: Upstream;
  #told = false;
  /** It ends then, whatever there still is to say. */
  #lastCall = Number.POSITIVE_INFINITY;

  constructor(peer: TunnelPeer, traffic: Traffic, upstream: Upstream) {
    this.#peer = peer;
    this.#traffic = traffic;
    this.#upstream = upstream;
    upstream.pass(this);
    this.#touch();
  }

  #touch(): void {
    if (this.#told) return;
    this.#peer.deadline = Math.min(this.#lastCall, this.#traffic.now + this.#traffic.parameters.tunnelTimeout);
  }

  onClientData(octets: Buffer): void {
    if (!this.#upstream.write(octets)) this.#peer.pause();
    this.#touch();
  }

  onClientDrain(): void {
    this.#upstream.resume();
  }

  onClientEnd(): void {
    this.#upstream.end();
  }

  onUpstreamData(buffer: Buffer, from: number, end: number): void {
    // The buffer is read into again.
    if (!this.#peer.write(Buffer.from(buffer.subarray(from, end)))) this.#upstream.pause();
    this.#touch();
  }

  onUpstreamDrain(): void {
    this.#peer.resume();
  }

  onUpstreamEnd(): void {
    this.#peer.end();
  }

  onUpstreamClose(error: NodeJS.ErrnoException | undefined): void {
    if (error) this.#peer.cut();
    else this.#peer.end();
  }

  onUpstreamConnect(): void {
    throw new Error('A tunnel starts on a connection that is up');
  }

  /** The sidecar stops: it may go on for a while. */
  drain(): void {
    this.#lastCall = this.#traffic.now + this.#traffic.parameters.tunnelGrace;
    this.#touch();
  }

  /** Both sides are told that it is over and have a moment to agree, if that has not been said already. */
  onDeadline(): void {
    if (this.#told) this.#peer.cut();
    else this.#tell();
  }

  #tell(): void {
    this.#told = true;
    this.#peer.end();
    this.#upstream.end();
    this.#peer.deadline = this.#traffic.now + lingering;
  }

  /** The client is gone. */
  close(): void {
    this.#upstream.destroy();
  }
}
