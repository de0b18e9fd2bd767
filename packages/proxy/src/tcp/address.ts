// The addresses of a connection, and how they are written in logs and in /v1/connections.

import type { Socket } from 'node:net';

/** An address of IP as the log and the application see it: canonical, and IPv4 also where it came mapped into IPv6. */
export type Endpoint = { readonly host: string; readonly port: number };
/** Both ends of a client's connection. */
export type Endpoints = { readonly source: Endpoint; readonly destination: Endpoint };

export function addressOf(endpoint: Endpoint | undefined): string {
  if (!endpoint) return 'unknown';
  const { host, port } = endpoint;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * The ends of a connection by its socket; undefined when it is not connected any more. The destination, which few ask for,
 * is asked of the kernel only then: it would be a fortieth of a handshake.
 */
export function endpointsOf(socket: Socket): Endpoints | undefined {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  const source = { host: withoutZone(remoteAddress), port: remotePort };
  return {
    source,
    get destination() {
      // Of a connection that is gone by now nobody will know better.
      const { localAddress = source.host, localPort = 0 } = socket;
      return { host: withoutZone(localAddress), port: localPort };
    },
  };
}

// fe80::1%eth0: the name of an interface says nothing beyond this machine.
const withoutZone = (host: string) => unmapped(host.replace(/%.*/, ''));

export const unmapped = (host: string) => host.replace(/^::ffff:(?=\d+\.)/, '');
