// Accepting connections, and what each of them goes through before its first octet is taken for the application's.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Address, listen, makeAddress } from '@outrigger/core';
import { Client } from './client.ts';
import type { Connection } from './connection.ts';
import { errors } from './errors.ts';
import { Handshake } from './handshake.ts';
import { Http2Session } from './http2/session.ts';
import type { Origin } from './origin.ts';
import { Seldom } from './seldom.ts';
import { addressOf, type Endpoints, endpointsOf } from './tcp/address.ts';
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
      const endpoints = welcome(socket, traffic);
      if (endpoints) traffic.enter(() => new Client(socket, traffic, { endpoints, raw: socket, httpsPort: port }));
    },
    // Its connections are drained with all others.
    close: async () => undefined,
  });
}

/** Undefined for a connection that there is no room for, which is closed. Each listener counts its own, and none all. */
function welcome(socket: Socket, { clients, connectionLimit, shedding, tally }: Traffic): Endpoints | undefined {
  const endpoints = endpointsOf(socket);
  if (endpoints && !shedding && clients.size < connectionLimit) {
    tally.metrics.connections.inc();
    return endpoints;
  }
  tally.metrics.connectionsRefused.inc();
  socket.destroy();
  return undefined;
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
  readonly #seldom: Seldom;

  constructor(traffic: Traffic, termination: Termination | undefined) {
    this.#traffic = traffic;
    this.#termination = termination;
    this.#seldom = new Seldom(traffic.log);
  }

  enter(socket: Socket): void {
    const endpoints = welcome(socket, this.#traffic);
    if (!endpoints) return;
    const { parameters } = this.#traffic;
    if (!parameters.acceptProxyProtocol) this.#secure(socket, endpoints);
    else if (parameters.trustedProxies.length > 0 && !this.#traffic.trusts(endpoints.source)) this.#distrust(socket);
    else this.#readHeader(socket);
  }

  /** Whoever it is would say that it is somebody else. */
  #distrust(socket: Socket): void {
    const reason = 'proxy_header_sender';
    this.#traffic.tally.metrics.refusals.inc({ reason });
    const client = addressOf(endpointsOf(socket)?.source);
    this.#traffic.log.debug('PROXY protocol header refused', { client, cause: reason });
    socket.destroy();
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
    if (!termination) {
      this.#begin(socket, { endpoints, raw: socket });
      return;
    }
    this.#makeRoom();
    this.#traffic.enter(() => new Handshake(socket, this.#traffic, { termination, endpoints, http, done }));
  }

  /** The oldest handshakes go: otherwise a few silent clients would shut out all others for as long as one may take. */
  #makeRoom(): void {
    const traffic = this.#traffic;
    const { handshakeLimit } = traffic.parameters;
    if (traffic.handshakes < handshakeLimit) return;
    const message = 'More TLS handshakes at once than may be: the oldest are closed';
    this.#seldom.warn('handshakes', message, { handshakeLimit });
    for (const client of traffic.clients) {
      if (traffic.handshakes < handshakeLimit) return;
      if (!(client instanceof Handshake)) continue;
      traffic.tally.metrics.connectionsRefused.inc();
      client.giveWay();
    }
  }

  #admit(socket: TLSSocket, origin: Origin, { identity, refusal, detail }: Verdict): void {
    const { parameters, tally, log } = this.#traffic;
    if (refusal) {
      const client = addressOf(origin.endpoints.source);
      // What it says of itself stays out of the message, which is shown as it is.
      const fault = errors.PROXY_CLIENT_REFUSED({ client, reason: refusal, detail });
      this.#seldom.warn('certificate', fault);
      log.debug(fault);
    }
    const explains = parameters.mode === 'http' && parameters.clientCertificate === 'optional';
    if (refusal && !explains) {
      tally.metrics.refusals.inc({ reason: refusal });
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
