// The application behind the proxy: it remembers which requests have reached it, by the last part of their path.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Application = AsyncDisposable & {
  readonly url: string;
  /** Names of the requests whose head has come. */
  readonly received: ReadonlySet<string>;
};

/**
 * `/echo/NAME` answers the name, `/count/NAME` the number of octets of the body, `/fill/SIZE/NAME` so many octets of the
 * name's first, and `/hold/NAME` its name when `release` resolves. An upgrade to anything gives an echo.
 */
export async function startApplication(release?: Promise<unknown>, host = '127.0.0.1'): Promise<Application> {
  const received = new Set<string>();
  const server = createServer((request, response) => {
    received.add(nameOf(request));
    void serve(request, response, release);
  });
  server.on('upgrade', (request, socket) => {
    received.add(nameOf(request));
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('error', () => socket.destroy()).pipe(socket);
  });
  // It never closes an idle connection, and says nothing of how long it keeps one.
  server.keepAliveTimeout = 0;
  await once(server.listen(0, host), 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const nameOf = ({ url = '' }: IncomingMessage) => url.slice(url.lastIndexOf('/') + 1);

async function serve(request: IncomingMessage, response: ServerResponse, release?: Promise<unknown>): Promise<void> {
  const name = nameOf(request);
  const [, kind, size] = request.url!.split('/');
  if (kind === 'fill') return void response.end(filled(Number(size), name[0]!));
  if (kind === 'count') return count(request, response);
  if (kind === 'hold') await release;
  response.end(name);
}

/** Made once: it is others that are to be slow. */
const made = new Map<string, Buffer>();

function filled(size: number, octet: string): Buffer {
  const key = `${size} ${octet}`;
  const buffer = made.get(key) ?? Buffer.alloc(size, octet);
  made.set(key, buffer);
  return buffer;
}

function count(request: IncomingMessage, response: ServerResponse): void {
  let total = 0;
  request
    .on('data', (octets: Buffer) => {
      total += octets.length;
    })
    .on('end', () => response.end(String(total)));
}
