// The HTTP server under the admin routes, with every resource bounded.

import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Address, makeAddress } from '../address.ts';
import { ParameterConflict, ParameterProblem } from '../parameters/problem.ts';
import { adminApp, type Inside } from './app.ts';
import { Connections } from './connections.ts';
import { send } from './exchange.ts';
import { limits } from './limits.ts';
import { refuse } from './linger.ts';
import { problem } from './problem.ts';
import { serve } from './serve.ts';

export type AdminListener = { readonly address: Address; close(): Promise<void> };

/** Listens, or rejects with a ParameterProblem that names --admin-address. */
export async function openAdminListener(wanted: Address, inside: Inside): Promise<AdminListener> {
  const server = openServer();
  const connections = new Connections();
  const handle = serve(adminApp(inside), connections);
  server.on('connection', connections.accept);
  server.on('request', (incoming, response) => handle(incoming, response, false));
  server.on('checkContinue', (incoming, response) => handle(incoming, response, true));
  server.on('checkExpectation', (_, response) => send(response, noExpectation));
  server.on('connect', (_, socket) => refuse(socket as Socket, noTunnel));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    misunderstood(error, socket as Socket, connections),
  );
  await listen(server, wanted, 'adminAddress');
  return {
    address: makeAddress(wanted.host, (server.address() as AddressInfo).port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Event streams and idle connections would hold it open for ever.
        server.closeAllConnections();
      }),
  };
}

function openServer(): Server {
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headTime,
    requestTimeout: limits.requestTime,
    keepAliveTimeout: limits.idleTime,
    connectionsCheckingInterval: limits.lookPeriod,
    // Whatever the command line of Node.js says.
    insecureHTTPParser: false,
    // Looked at with all else that is wrong with a host.
    requireHostHeader: false,
    optimizeEmptyRequests: true,
  });
  server.maxRequestsPerSocket = limits.requestsPerConnection;
  // Node.js would drop what comes beyond a number of headers, and with it perhaps a second Host.
  server.maxHeadersCount = 0;
  return server;
}

const noExpectation = problem(417, 'EXPECTATION', 'Only "Expect: 100-continue" is understood');
const noTunnel = problem(405, 'METHOD', 'CONNECT is not possible here', {}, { allow: '' });
const refusals: Readonly<Record<string, ReturnType<typeof problem>>> = {
  HPE_HEADER_OVERFLOW: problem(431, 'HEAD_TOO_LARGE', `At most ${limits.headBytes} bytes of headers are accepted`),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: problem(413, 'BODY_TOO_LARGE', 'The chunk extensions are too long'),
  ERR_HTTP_REQUEST_TIMEOUT: problem(408, 'REQUEST_TIMEOUT', 'The request took too long to arrive'),
};
const malformed = problem(400, 'MALFORMED', 'This is no valid HTTP/1.1 request');

function misunderstood({ code = '' }: NodeJS.ErrnoException, socket: Socket, connections: Connections): void {
  const connection = connections.of(socket);
  // Nobody is there any more, or has said anything, or what is said would end up within another answer.
  const silent = code === 'ECONNRESET' || code === 'EPIPE' || socket.bytesRead === 0;
  // The only request under way is the one that is wrong; its handler finds that it has been answered.
  const free = connection && connection.handling < 2 && connection.waiting === 0 && !connection.deaf;
  if (silent || !free) socket.destroy();
  else refuse(socket, refusals[code] ?? malformed);
}

type Listening = {
  listen(options: { port: number; host: string; backlog: number }): unknown;
  once: NodeJS.EventEmitter['once'];
  off: NodeJS.EventEmitter['off'];
};

/** Longest queue of connections that the kernel holds; it takes less where the machine allows less. */
const backlog = 4096;

/** Listens on an address; a refusal becomes a ParameterProblem of the parameter that named it. */
export function listen(server: Listening, { host, port }: Address, parameter: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const Refusal = error.code === 'EADDRINUSE' ? ParameterConflict : ParameterProblem;
      reject(new Refusal(parameter, refusal(error), { cause: error }));
    };
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolve();
    });
    server.listen({ port, host, backlog });
  });
}

function refusal({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'the address is already in use';
  if (code === 'EACCES') return 'no permission to listen there; ports under 1024 need NET_BIND_SERVICE';
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  return message;
}
