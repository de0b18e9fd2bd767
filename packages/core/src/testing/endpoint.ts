// An endpoint of an application that is told of changes, as a real HTTP server.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Endpoint = AsyncDisposable & {
  readonly url: string;
  /** What `load` returned for each request, in order. */
  readonly loaded: string[];
  readonly requests: { readonly method: string; readonly headers: IncomingMessage['headers'] }[];
  openConnections(): Promise<number>;
};

export type EndpointOptions = {
  /** Reads the configuration, as the application would when told to. */
  readonly load?: () => string;
  /** Answers 204 unless this answers. */
  readonly answer?: (response: ServerResponse, count: number) => void;
};

export async function openEndpoint({
  load = () => '',
  answer = (response) => response.writeHead(204).end(),
}: EndpointOptions = {}): Promise<Endpoint> {
  const loaded: string[] = [];
  const requests: Endpoint['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', headers: request.headers });
    loaded.push(load());
    answer(response, requests.length);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/-/reload`,
    loaded,
    requests,
    openConnections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
