// What may listen where a sidecar is expected.

import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export type Peer = AsyncDisposable & { readonly url: URL };

async function listening(server: Server): Promise<Peer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export const httpPeer = (answer: RequestListener) => listening(createHttpServer(answer));
export const tcpPeer = (connected: (socket: Socket) => void) => listening(createServer(connected));

/** Answers as a sidecar does; `failing` is the body of a failing /readyz. */
export const sidecarPeer = (failing: () => string | undefined = () => undefined) =>
  httpPeer(({ url }, response) => {
    const reasons = failing();
    if (url !== '/readyz?verbose') response.end(JSON.stringify({ role: 'proxy', version: '1.2.3', phase: 'serving' }));
    else if (reasons === undefined) response.end('[+]start ok\nreadyz check passed\n');
    else response.writeHead(503).end(reasons);
  });
