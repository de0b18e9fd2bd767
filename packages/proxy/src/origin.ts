// Who is at the other end of a connection, as far as is known before its first request.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Connection } from './connection.ts';
import type { Endpoints } from './tcp/address.ts';
import type { ClientIdentity } from './tls/identity.ts';

export type Origin = {
  readonly endpoints: Endpoints;
  /** What TLS runs on, or the connection itself. */
  readonly raw: Socket;
  /** Who the client is by its certificate, if it showed one that is good. */
  readonly identity?: ClientIdentity | undefined;
  /** Why its requests are refused: it showed a certificate that is no good where none is needed. A stable code. */
  readonly refusal?: string | undefined;
  /** It came to the listener that sends everybody to this port, where https is spoken. */
  readonly httpsPort?: number;
};

export function tlsOf(socket: Socket): Connection['tls'] {
  if (!(socket instanceof TLSSocket)) return undefined;
  return { version: socket.getProtocol(), cipher: socket.getCipher()?.name ?? 'unknown' };
}
