// A real HTTP server of a test's own.

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export type TestServer = AsyncDisposable & {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  /** Connections that are open now. */
  readonly connections: number;
};

export async function serve(handler: RequestListener, path?: string): Promise<TestServer> {
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests++;
    handler(request, response);
  });
  server.on('connection', (socket) => {
    connections++;
    socket.on('close', () => connections--);
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return {
    url: path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}/status.xml` : '',
    get requests() {
      return requests;
    },
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export const xml: (body: string | Buffer, type?: string) => RequestListener =
  (body, type = 'application/xml') =>
  (_, response) => {
    response.writeHead(200, { 'content-type': type }).end(body);
  };
