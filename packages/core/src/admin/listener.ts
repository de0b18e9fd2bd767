// The HTTP server under the admin routes, with every resource bounded.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Address, makeAddress } from '../address.ts';
import { ParameterProblem } from '../parameters/problem.ts';
import { adminApp, type Inside } from './app.ts';

export type AdminListener = { readonly address: Address; close(): Promise<void> };

/** Listens, or rejects with a ParameterProblem that names --admin-address. */
export async function openAdminListener(wanted: Address, inside: Inside): Promise<AdminListener> {
  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 },
    adminApp(inside).listener,
  );
  server.maxConnections = 256;
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

type Listening = {
  listen(port: number, host: string): unknown;
  once: NodeJS.EventEmitter['once'];
  off: NodeJS.EventEmitter['off'];
};

/** Listens on an address; a refusal becomes a ParameterProblem of the parameter that named it. */
export function listen(server: Listening, { host, port }: Address, parameter: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new ParameterProblem(parameter, refusal(error), { cause: error }));
    server.once('error', fail);
    server.once('listening', () => {
      server.off('error', fail);
      resolve();
    });
    server.listen(port, host);
  });
}

function refusal({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE') return 'the address is already in use';
  if (code === 'EACCES') return 'no permission to listen there; ports under 1024 need NET_BIND_SERVICE';
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  return message;
}
