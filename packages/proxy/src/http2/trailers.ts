// What the two ends of a request need on top of peer.ts where both speak HTTP/2.

import type { Conversation, StreamPeer } from '../peer.ts';

export type TrailedConversation = Conversation & {
  /** Comes before `onClientBodyEnd`; @param fields names in lower case and values, by turns. */
  onClientTrailers?(fields: readonly string[]): void;
};

export type TrailedPeer = StreamPeer & {
  /** @param trailers may follow the body: `end` says which. */
  respond(status: number, fields: readonly string[], end: boolean, trailers?: boolean): void;
  /** Ends the stream as the other side ended its own. */
  reset?(code: number): void;
};

/** Fields as node:http2 takes them for all but the head of a response. */
export function gather(fields: readonly string[]): Record<string, string[]> {
  const gathered: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    gathered[name] = [...(gathered[name] ?? []), fields[i + 1]!];
  }
  return gathered;
}
