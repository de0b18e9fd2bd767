// What is written to a socket within one turn of the event loop, sent by one system call at its end. A client's body comes
// in records of at most 16 KiB, several in a turn, and each call costs about as much as the octets of one.

import type { Socket } from 'node:net';

let gathered: Socket[] = [];

function send(): void {
  const sockets = gathered;
  gathered = [];
  for (const socket of sockets) socket.uncork();
}

/** As `socket.write`: false when the other side is slower. @param written called when they have been sent. */
export function writeTogether(socket: Socket, octets: Buffer, written?: (error?: Error | null) => void): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    if (gathered.push(socket) === 1) setImmediate(send);
  }
  return socket.write(octets, written);
}
