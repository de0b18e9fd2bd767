// Socket addresses as people write them.

import { isIPv6 } from 'node:net';

/** Where to listen or connect. `String(address)` is how it is written. */
export type Address = { readonly host: string; readonly port: number; toString(): string };

/** `127.0.0.1:80`, `[::1]:80`, `name:80`, `:80` (all addresses). Throws an Error that says what is expected. */
export function parseAddress(written: string): Address {
  const match = /^(?:\[([^[\]/\s]+)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(written);
  const port = Number(match?.[3]);
  if (!match || port > 65_535 || (match[1] !== undefined && !isIPv6(match[1])))
    throw new Error('an address such as 127.0.0.1:8080 is expected');
  return makeAddress(match[1] ?? (match[2] || '0.0.0.0'), port);
}

export function makeAddress(host: string, port: number): Address {
  const written = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return { host, port, toString: () => written };
}

/** The address by which this machine itself reaches a listener: a wildcard host becomes loopback. */
export function connectable(address: Address): Address {
  if (address.host === '0.0.0.0') return makeAddress('127.0.0.1', address.port);
  if (address.host === '::') return makeAddress('::1', address.port);
  return address;
}
