// Octets both ways after HTTP has ended on a connection (WebSocket), each side held back by the other, each end passed on
// by itself.

import type { Octets } from './account.ts';
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

/** Called once, with what has gone through. */
export type TunnelEnded = (octets: Octets) => void;

const lingering = 2_000;

export class Tunnel implements UpstreamUser {
  readonly #peer: TunnelPeer;
  readonly #traffic: Traffic;
  readonly #upstream: Upstream;
  readonly #ended: TunnelEnded;
  #received = 0;
  #sent = 0;
  #told = false;
  #clientEnded = false;
  #upstreamEnded = false;
  /** It ends then, whatever there still is to say. */
  #lastCall = Number.POSITIVE_INFINITY;

  constructor(peer: TunnelPeer, traffic: Traffic, upstream: Upstream, ended: TunnelEnded) {
    this.#peer = peer;
    this.#traffic = traffic;
    this.#upstream = upstream;
    this.#ended = ended;
    upstream.pass(this);
    this.#touch();
  }

  #touch(): void {
    if (this.#told) return;
    this.#peer.deadline = Math.min(this.#lastCall, this.#traffic.now + this.#patience);
  }

  /** As in a session of --mode tcp: whoever has had the last octet of the other side has no reason to be silent for long. */
  get #patience(): number {
    const { tunnelTimeout, clientTimeout, upstreamTimeout } = this.#traffic.parameters;
    if (this.#upstreamEnded) return Math.min(tunnelTimeout, clientTimeout);
    return this.#clientEnded ? Math.min(tunnelTimeout, upstreamTimeout) : tunnelTimeout;
  }

  onClientData(octets: Buffer): void {
    // Both sides were told that nothing more is passed on; writing after that would reset them.
    if (this.#told) return;
    this.#received += octets.length;
    if (!this.#upstream.write(octets)) this.#peer.pause();
    this.#touch();
  }

  onClientDrain(): void {
    this.#upstream.resume();
  }

  onClientEnd(): void {
    this.#clientEnded = true;
    this.#upstream.end();
    this.#touch();
  }

  onUpstreamData(buffer: Buffer, from: number, end: number): void {
    if (this.#told) return;
    this.#sent += end - from;
    // The buffer is read into again.
    if (!this.#peer.write(Buffer.from(buffer.subarray(from, end)))) this.#upstream.pause();
    this.#touch();
  }

  onUpstreamDrain(): void {
    this.#peer.resume();
  }

  onUpstreamEnd(): void {
    this.#upstreamEnded = true;
    this.#peer.end();
    this.#touch();
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
    this.#ended({ receivedBytes: this.#received, sentBytes: this.#sent });
  }
}
