// Request targets and hosts: the parts of a head that name where it goes.

import { COLON, hostOctet } from './octets.ts';

/** Whether buffer[start, end) can be a Host: a name or address, then perhaps a port. */
export function isHost(buffer: Uint8Array, start: number, end: number): boolean {
  let colon = -1;
  let bracket = -1;
  for (let i = start; i < end; i++) {
    const octet = buffer[i]!;
    if (hostOctet[octet] === 0) return false;
    if (octet === COLON) {
      // Further colons belong into brackets.
      if (colon >= 0 && buffer[start] !== 0x5b) return false;
      colon = i;
    } else if (octet === 0x5b && i !== start) return false;
    else if (octet === 0x5d) {
      if (bracket >= 0 || buffer[start] !== 0x5b) return false;
      bracket = i;
    }
  }
  if (buffer[start] === 0x5b) {
    if (bracket < start + 3) return false;
    return bracket + 1 === end || (buffer[bracket + 1] === COLON && isPort(buffer, bracket + 2, end));
  }
  return colon < 0 ? end > start : colon > start && isPort(buffer, colon + 1, end);
}

function isPort(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start > 5 || start === end) return false;
  for (let i = start; i < end; i++) if (buffer[i]! < 0x30 || buffer[i]! > 0x39) return false;
  return true;
}

export type Absolute = { readonly authority: string; readonly path: string };

/** Splits `http://host:port/path?query`; undefined when it is nothing of the kind. A host compares without default port. */
export function splitAbsolute(target: string, options: boolean): Absolute | undefined {
  const match = /^(https?):\/\/([^/?]+)(.*)$/i.exec(target);
  if (!match) return undefined;
  const [, scheme, authority, rest] = match as unknown as [string, string, string, string];
  const octets = Buffer.from(authority, 'latin1');
  if (!isHost(octets, 0, octets.length)) return undefined;
  const path = rest.startsWith('/') ? rest : rest === '' && options ? '*' : `/${rest}`;
  return { authority: withoutDefaultPort(authority, scheme), path };
}

/** Lower case, `:80` of http and `:443` of https taken away. */
export function withoutDefaultPort(authority: string, scheme: string): string {
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80';
  const lower = authority.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

export const schemeOf = (target: string) => target.slice(0, target.indexOf(':'));
