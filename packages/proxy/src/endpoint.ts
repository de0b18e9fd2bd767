// Where an upstream is, from how it is written.

import { BlockList, isIPv6 } from 'node:net';
import type { UpstreamAddress } from './dial.ts';

export type Endpoint = {
  readonly address: UpstreamAddress;
  /** For logs, and as the Host of requests that name none. */
  readonly name: string;
  /** h2c is HTTP/2 without TLS, known in advance. */
  readonly protocol: 'http' | 'h2c' | 'tcp' | 'unix';
};

const defaultPorts: Readonly<Record<string, number | undefined>> = { http: 80, h2c: 80 };

/** Throws an Error that says what is wrong with it. */
export function endpointOf(upstream: URL): Endpoint {
  const { hostname, port, pathname, search, username } = upstream;
  const protocol = upstream.protocol.slice(0, -1) as Endpoint['protocol'];
  if (protocol === 'unix') {
    const path = decodeURIComponent(pathname);
    if (!path.startsWith('/')) throw new Error('unix:/path with an absolute path is expected');
    return { address: { path }, name: `unix:${path}`, protocol };
  }
  if ((pathname !== '/' && pathname !== '') || search !== '' || username !== '')
    throw new Error('a URL of scheme, host and port alone is expected: requests keep their own path');
  const number = Number(port || defaultPorts[protocol]);
  if (!number) throw new Error('a port is expected');
  return { address: { host: hostname.replace(/^\[|\]$/g, ''), port: number }, name: `${hostname}:${number}`, protocol };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** What is sent there does not leave this machine or Pod, so nobody in between can read it. */
export const isLocal = ({ address }: Pick<Endpoint, 'address'>): boolean =>
  'path' in address ||
  address.host === 'localhost' ||
  loopback.check(address.host, isIPv6(address.host) ? 'ipv6' : 'ipv4');
