// The end of a connection whose client is still sending.

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { limits } from './limits.ts';
import type { Reply } from './router.ts';

const lingering = new WeakSet<Socket>();

/**
 * Ends the connection and throws away what still comes. Closing it at once would make the kernel answer that with a reset,
 * and the client might lose what was written last: why it was refused.
 */
export function linger(socket: Socket): void {
  if (lingering.has(socket) || socket.destroyed) return;
  lingering.add(socket);
  let left: number = limits.lingerBytes;
  // Nobody parses what is thrown away.
  socket.removeAllListeners('data');
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  const timer = setTimeout(() => socket.destroy(), limits.lingerTime).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end();
  socket.resume();
}

/** Writes a reply to what is no request that node:http could answer, and ends the connection. */
export function refuse(socket: Socket, { status, headers, body }: Reply): void {
  if (lingering.has(socket)) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = body as string;
  const all = { ...headers, 'content-length': Buffer.byteLength(text), connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`);
  linger(socket);
}
