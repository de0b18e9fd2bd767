// A connection to a receiver: by TCP, TLS or a Unix socket. Names are looked up anew each time, and all the addresses that
// a name has are tried.

import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export type Peer = { readonly host: string; readonly port: number } | { readonly path: string };

export type ConnectOptions = { readonly tls: ConnectionOptions | undefined; readonly signal: AbortSignal };

export const nameOf = (peer: Peer): string => ('path' in peer ? peer.path : `${peer.host}:${peer.port}`);

// A peer that vanishes says nothing: the kernel asks an idle one after this, ten times, a second apart.
const idleBeforeProbe = 30_000;

/** Rejects with the signal's reason when it aborts. The socket's later errors are told by its `close` event alone. */
export async function connect(peer: Peer, { tls, signal }: ConnectOptions): Promise<Socket> {
  const where = 'path' in peer ? { path: peer.path } : { host: peer.host, port: peer.port };
  signal.throwIfAborted();
  const socket = tls ? connectTls({ ...where, ...serverName(peer), ...tls }) : connectTcp(where);
  socket.on('error', () => socket.destroy());
  socket.setKeepAlive(true, idleBeforeProbe);
  // What is written is a whole batch: there is nothing to wait for.
  socket.setNoDelay(true);
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

// An IP address is no name: TLS has none to send, and the certificate is compared with the address.
const serverName = (peer: Peer) => ('path' in peer || isIP(peer.host) ? {} : { servername: peer.host });
