// Accepting connections, and what each of them goes through before its first octet is taken for the application's.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Address, listen, makeAddress } from '@outrigger/core';
import { Client } from './client.ts';
import type { Connection } from './connection.ts';
import { Handshake } from './handshake.ts';
import { Http2Session } from './http2/session.ts';
import type { Origin } from './origin.ts';
import { type Endpoints, endpointsOf } from './tcp/address.ts';
import { ProxyHeaderReader } from './tcp/proxy-header-reader.ts';
import { TcpSession } from './tcp/session.ts';
import type { Termination, Verdict } from './tls/termination.ts';
import type { Traffic } from './traffic.ts';

export type Listener = AsyncDisposable & { readonly address: Address };

/** Listens until disposed; disposal then waits for the requests in flight. */
export function openListener(traffic: Traffic, termination: Termination | undefined): Promise<Listener> {
  const doorway = new Doorway(traffic, termination);
  return openServer(traffic, 'listenAddress', {
    enter: (socket) => doorway.enter(socket),
    close: () => traffic.drain(),
  });
}

/** Plain HTTP that is answered with where it is spoken over TLS. @param port of https */
export async function openRedirectListener(traffic: Traffic, port: number): Promise<Listener | undefined> {
  if (!traffic.parameters.redirectListenAddress) return undefined;
  return await openServer(traffic, 'redirectListenAddress', {
    enter(socket) {
      const endpoints = endpointsOf(socket);
      traffic.tally.metrics.connections.inc();
      if (endpoints && !traffic.shedding)
        traffic.enter(() => new Client(socket, traffic, { endpoints, raw: socket, httpsPort: port }));
      else socket.destroy();
    },
    // Its connections are drained with all others.
    close: async () => undefined,
  });
}

type Reception = { enter(socket: Socket): void; close(): Promise<void> };

async function openServer(
  traffic: Traffic,
  parameter: 'listenAddress' | 'redirectListenAddress',
  { enter, close }: Reception,
): Promise<Listener> {
  const { metrics } = traffic.tally;
  const listenAddress = traffic.parameters[parameter]!;
  // Half-open, because a client may end its side and still want the response.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, enter);
  server.maxConnections = traffic.connectionLimit;
  server.on('drop', () => metrics.connectionsRefused.inc());
  await listen(server, listenAddress, parameter);
  // Out of file descriptors, for one: those connected go on, and so does accepting.
  server.on('error', (error) => traffic.log.error('Accepting a connection failed', { cause: error.message }));
  return {
    address: makeAddress(listenAddress.host, (server.address() as AddressInfo).port),
    async [Symbol.asyncDispose]() {
      server.close();
      await close();
    },
  };
}

class Doorway {
  readonly #traffic: Traffic;
  readonly #termination: Termination | undefined;

  constructor(traffic: Traffic, termination: Termination | undefined) {
    this.#traffic = traffic;
    this.#termination = termination;
  }

  enter(socket: Socket): void {
    const { parameters, tally, shedding, handshakes } = this.#traffic;
    const endpoints = endpointsOf(socket);
    if (shedding || handshakes >= parameters.handshakeLimit || !endpoints) {
      tally.metrics.connectionsRefused.inc();
      socket.destroy();
      return;
    }
    tally.metrics.connections.inc();
    if (parameters.acceptProxyProtocol) this.#readHeader(socket);
    else this.#secure(socket, endpoints);
  }

  #readHeader(socket: Socket): void {
    const milliseconds = this.#traffic.parameters.handshakeTimeout;
    const done = (endpoints: Endpoints) => this.#secure(socket, endpoints);
    this.#traffic.enter(() => new ProxyHeaderReader(socket, { traffic: this.#traffic, milliseconds, done }));
  }

  #secure(socket: Socket, endpoints: Endpoints): void {
    const termination = this.#termination;
    const http = this.#traffic.parameters.mode === 'http';
    const done = (secured: TLSSocket, verdict: Verdict) => this.#admit(secured, { endpoints, raw: socket }, verdict);
    if (termination)
      this.#traffic.enter(() => new Handshake(socket, this.#traffic, { termination, endpoints, http, done }));
    else this.#begin(socket, { endpoints, raw: socket });
  }

  #admit(socket: TLSSocket, origin: Origin, { identity, refusal, detail }: Verdict): void {
    const { parameters, tally, log } = this.#traffic;
    const explains = parameters.mode === 'http' && parameters.clientCertificate === 'optional';
    if (refusal && !explains) {
      tally.metrics.refusals.inc({ reason: refusal });
      log.debug('Client certificate refused', { reason: refusal, detail });
      socket.destroy();
    } else this.#begin(socket, { ...origin, identity, refusal });
  }

  #begin(socket: Socket, origin: Origin): void {
    const { mode } = this.#traffic.parameters;
    if (mode === 'tcp') this.#beginTcp(socket, origin);
    else if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2')
      this.#enter(() => new Http2Session(socket, this.#traffic, origin));
    else this.#enter(() => new Client(socket, this.#traffic, origin));
  }

  #beginTcp(socket: Socket, { endpoints, raw, identity }: Origin): void {
    const traffic = this.#traffic;
    const { parameters } = traffic;
    const pool = traffic.pools.main;
    const options = {
      traffic,
      pool,
      endpoints,
      raw,
      identity,
      upstream: pool.address,
      send: parameters.sendProxyProtocol,
    };
    this.#enter(() => new TcpSession(socket, options));
  }

  #enter(make: () => Connection): void {
    const connection = this.#traffic.enter(make);
    if (this.#traffic.draining) connection.drain();
  }
}
