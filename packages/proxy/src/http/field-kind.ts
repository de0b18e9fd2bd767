// What a field means to a proxy, found from its name without making a string of it.

import { folded } from './octets.ts';

export const kinds = {
  /** Nothing to us: forwarded as it is. */
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  /** For this hop alone. */
  hop: 5,
  upgrade: 6,
  expect: 7,
  /** Says who the client is: only we may say that. */
  identity: 8,
  /** Reads as one of the others in an application that takes `_` or `.` for `-`. */
  alias: 9,
  /** What a trusted proxy in front says of the client is kept; anybody else's goes like `identity`. */
  forwardedFor: 10,
  forwardedProto: 11,
  forwardedHost: 12,
  forwarded: 13,
  traceparent: 14,
  keepAlive: 15,
  /** Means nothing without the traceparent it came with. */
  tracestate: 16,
} as const;

const names: Readonly<Record<string, number>> = {
  host: kinds.host,
  'content-length': kinds.contentLength,
  'transfer-encoding': kinds.transferEncoding,
  connection: kinds.connection,
  'keep-alive': kinds.keepAlive,
  'proxy-connection': kinds.hop,
  'proxy-authenticate': kinds.hop,
  'proxy-authorization': kinds.hop,
  te: kinds.hop,
  trailer: kinds.hop,
  upgrade: kinds.upgrade,
  'http2-settings': kinds.hop,
  expect: kinds.expect,
  forwarded: kinds.forwarded,
  'x-forwarded-for': kinds.forwardedFor,
  'x-forwarded-proto': kinds.forwardedProto,
  'x-forwarded-host': kinds.forwardedHost,
  traceparent: kinds.traceparent,
  tracestate: kinds.tracestate,
  'x-real-ip': kinds.identity,
  'x-remote-user': kinds.identity,
  'remote-user': kinds.identity,
};

const identityPrefixes = ['x-forwarded-', 'x-client-cert'].map((prefix) => Buffer.from(prefix));

type Known = { readonly octets: Uint8Array; readonly kind: number };
const byLength: (Known[] | undefined)[] = [];
for (const [name, kind] of Object.entries(names)) {
  const list = byLength[name.length] ?? [];
  list.push({ octets: Buffer.from(name), kind });
  byLength[name.length] = list;
}

const LETTER_X = 0x78;

/** The kind of the field whose name is buffer[start, end). */
export function kindOf(buffer: Uint8Array, start: number, end: number): number {
  const known = byLength[end - start];
  if (known !== undefined)
    for (const { octets, kind } of known)
      if (startsFolded(buffer, start, octets)) return isAlias(buffer, start, octets) ? kinds.alias : kind;
  if (folded[buffer[start]!] === LETTER_X)
    for (const prefix of identityPrefixes)
      if (end - start >= prefix.length && startsFolded(buffer, start, prefix)) return kinds.identity;
  return kinds.other;
}

function startsFolded(buffer: Uint8Array, start: number, octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) if (folded[buffer[start + i]!] !== octets[i]) return false;
  return true;
}

const HYPHEN = 0x2d;

function isAlias(buffer: Uint8Array, start: number, octets: Uint8Array): boolean {
  for (let i = 0; i < octets.length; i++) if (octets[i] === HYPHEN && buffer[start + i] !== HYPHEN) return true;
  return false;
}
