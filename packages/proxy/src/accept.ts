// Accepting connections, and terminating TLS when there is a certificate.

import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type Address, listen, makeAddress } from '@outrigger/core';
import type { TlsFiles } from '@outrigger/core/tls-files';
import { Client } from './client.ts';
import type { Traffic } from './traffic.ts';

export type Listener = AsyncDisposable & { readonly address: Address };

/** Listens until disposed; disposal then waits for the requests in flight. */
export async function openListener(traffic: Traffic, certificate: TlsFiles | undefined): Promise<Listener> {
  const { listenAddress } = traffic.parameters;
  const { metrics } = traffic.tally;
  const server = certificate ? tlsServer(traffic, certificate) : plainServer(traffic);
  server.maxConnections = traffic.connectionLimit;
  server.on('drop', () => metrics.connectionsRefused.inc());
  await listen(server, listenAddress, 'listenAddress');
  // Out of file descriptors, for one: those connected go on, and so does accepting.
  server.on('error', (error) => traffic.log.error('Accepting a connection failed', { cause: error.message }));
  return {
    address: makeAddress(listenAddress.host, (server.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      server.close();
      await traffic.drain();
    },
  };
}

// Half-open, because a client may end its side and still want the response.
const socketOptions = { allowHalfOpen: true, noDelay: true } as const;

function plainServer(traffic: Traffic): Server {
  return createPlainServer(socketOptions, (socket) => accept(socket, traffic));
}

function tlsServer(traffic: Traffic, certificate: TlsFiles): TlsServer {
  const server = createTlsServer(
    {
      ...socketOptions,
      ...certificate.current.material,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: traffic.parameters.headTimeout,
      // Kept over a change of the certificate, so that clients go on resuming their sessions.
      ticketKeys: randomBytes(48),
    },
    (socket) => accept(socket, traffic),
  );
  server.on('tlsClientError', (error, socket) => {
    // Nobody else closes it: a client that says nothing would keep its place for ever.
    socket.destroy();
    traffic.tally.metrics.handshakeFailures.inc();
    traffic.log.debug('TLS handshake failed', { cause: error.message });
  });
  // Connections that are open keep what they have.
  certificate.onChange(({ material }) => server.setSecureContext({ ...material, minVersion: 'TLSv1.2' }));
  return server;
}

function accept(socket: Socket, traffic: Traffic): void {
  if (traffic.shedding) {
    traffic.tally.metrics.connectionsRefused.inc();
    socket.destroy();
    return;
  }
  traffic.enter(() => new Client(socket, traffic));
  if (traffic.draining) socket.destroy();
}
