// Ending a connection so that nobody takes it for the end of what was said.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Closes so that the other end can tell it from a clean end: by a reset, under TLS too, because few clients of TLS mind that
 * no close_notify came. @param raw the socket itself, or what its TLS runs on.
 */
export function cut(socket: Socket, raw: Socket): void {
  if (socket.destroyed) return;
  // While FIN is on its way to the kernel Node.js fails to reset, and never closes. All that came before FIN is there already.
  const ending = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  // A unix socket has no reset, and a socket of TLS only that of what it runs on.
  const resettable = raw.remoteFamily !== undefined && !(raw instanceof TLSSocket);
  if (ending || raw.connecting || !resettable) socket.destroy();
  else raw.resetAndDestroy();
}
