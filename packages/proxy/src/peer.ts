// The two ends of one request inside the proxy: the client's side (a connection of HTTP/1, or one stream of HTTP/2) and
// what answers it.

import type { RequestHead } from './http/request-head.ts';
import type { Identity } from './identity.ts';
import type { TunnelEnded } from './tunnel.ts';
import type { Upstream } from './upstream.ts';

/** The client's side of a request. */
export type Peer = {
  readonly identity: Identity;
  /** Sent its last octet, and this is its last request; may still be waiting for ours. */
  readonly ended: boolean;
  readonly needsDrain: boolean;
  deadline: number;
  /** Returns false when the client is slower than the application; `onClientDrain` follows. */
  write(octets: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** The request is answered; @param keep the connection may carry another. */
  finished(keep: boolean): void;
  /** The response cannot be completed, and the client must be able to tell. */
  cut(): void;
  /** From now on octets go both ways without HTTP, until `ended`. HTTP/1 only. */
  tunnel(upstream: Upstream, rest: Buffer, ended: TunnelEnded): void;
  /** Set where the protocol frames bodies itself (HTTP/2): heads go through it and `write` gets nothing but a body's data. */
  readonly streams: StreamPeer | undefined;
};

export type StreamPeer = {
  /** The client speaks gRPC: it looks for a status of gRPC's own. */
  readonly grpc: boolean;
  /**
   * @param fields names in lower case and values, by turns, without those of the hop; @param end no body follows.
   * @param trailers may follow the body: `end` says which.
   */
  respond(status: number, fields: readonly string[], end: boolean, trailers?: boolean): void;
  /** Ends the response, after a body; @param trailers as `fields` above. */
  end(trailers?: readonly string[]): void;
  /** Ends the stream as the application ended its own. */
  reset(code: number): void;
};

/** What a peer talks to while its request is under way. */
export type Conversation = {
  /** Takes the head and what there is of the body in buffer[from); returns the offset after what it took. */
  begin(head: RequestHead, buffer: Buffer, from: number): number;
  /** The next octets of the request (of its body's data alone from a stream); returns the offset after what belongs to it. */
  onClientData(buffer: Buffer, from: number): number;
  /** Comes before `onClientBodyEnd`; @param fields as in `StreamPeer`. */
  onClientTrailers?(fields: readonly string[]): void;
  /** A stream's body is complete; never called when the head said so already. */
  onClientBodyEnd(): void;
  /** The client will send no more: fatal in the middle of a body, else it may still want its response. */
  onClientEnd(): void;
  onClientDrain(): void;
  /** Nothing moved for as long as it may. */
  onDeadline(): void;
  /** The client is gone, or too slow. */
  abandon(): void;
};
