// The PROXY protocol: a header before the first octet of a connection, in which a proxy in front says whose connection it
// passes on. Version 1 is a line of text, version 2 is binary. Both are read as strictly as heads are: whoever may send this
// header says who the client is.

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CR, LF } from './http/octets.ts';
import { type Endpoints, unmapped } from './tcp/address.ts';
import type { ClientIdentity } from './tls/identity.ts';

export type ProxyHeader = {
  /** Undefined where the sender speaks for itself (LOCAL), or knows no address of IP (UNKNOWN, unix): the socket's own count. */
  readonly endpoints: Endpoints | undefined;
  /** Offset after the header. */
  readonly next: number;
};

/** The header is not whole yet, and nothing is wrong so far. */
export const MORE = 0;
export const INVALID = -1;
export type ProxyOutcome = ProxyHeader | typeof MORE | typeof INVALID;

// "PROXY UNKNOWN " with two addresses and two ports at their longest, and CRLF.
const mostLine = 107;
const lineStart = Buffer.from('PROXY ');

/** The longest header that is read. Room for a unix address and a chain of clients' certificates; the format allows 64 KiB. */
export const mostHeader = 8_192;
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixed = 16;
const local = 0x20;
const proxied = 0x21;

const families = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21, unix: 0x31 } as const;
/** Octets of both addresses and ports. Datagrams are not among them: nothing here could have come as one. */
const addressLengths: ReadonlyMap<number | undefined, number> = new Map([
  [families.unspecified, 0],
  [families.tcp4, 12],
  [families.tcp6, 36],
  [families.unix, 216],
]);

/** Reads buffer[from, end), which starts with the connection's first octet. What comes out does not depend on where the octets were cut. */
export function readProxyHeader(buffer: Buffer, from: number, end: number): ProxyOutcome {
  if (from >= end) return MORE;
  return buffer[from] === CR ? readBlock(buffer, from, end) : readLine(buffer, from, end);
}

/** As far as there are octets, they are the expected ones. */
function startsWith(expected: Buffer, buffer: Buffer, from: number, end: number): boolean {
  const length = Math.min(end - from, expected.length);
  return buffer.compare(expected, 0, length, from, from + length) === 0;
}

function readLine(buffer: Buffer, from: number, end: number): ProxyOutcome {
  if (!startsWith(lineStart, buffer, from, end)) return INVALID;
  const limit = Math.min(end, from + mostLine - 1);
  let at = from;
  while (at < limit && buffer[at] !== CR) if (buffer[at++] === LF) return INVALID;
  if (at === from + mostLine - 1) return INVALID;
  if (at + 1 >= end) return MORE;
  if (buffer[at + 1] !== LF) return INVALID;
  return parseLine(buffer.toString('latin1', from, at), at + 2);
}

function parseLine(line: string, next: number): ProxyOutcome {
  const words = line.split(' ');
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = words;
  // Whatever follows is to be ignored.
  if (family === 'UNKNOWN') return { endpoints: undefined, next };
  const isHost = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (!isHost || words.length !== 6) return INVALID;
  if (!isHost(from) || !isHost(to) || !isPort(fromPort) || !isPort(toPort)) return INVALID;
  const source = { host: canonical(from), port: Number(fromPort) };
  return { endpoints: { source, destination: { host: canonical(to), port: Number(toPort) } }, next };
}

const isPlainIPv6 = (host: string) => isIPv6(host) && !host.includes('%');
const isPort = (port: string) => /^(0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 65_535;

function canonical(host: string): string {
  if (isIPv4(host)) return host;
  const { address } = new SocketAddress({ address: host, family: 'ipv6' });
  return unmapped(address);
}

// A dual-stack socket shows IPv4 clients as ::ffff:192.0.2.1.

function readBlock(buffer: Buffer, from: number, end: number): ProxyOutcome {
  if (!startsWith(signature, buffer, from, end)) return INVALID;
  const command = buffer[from + signature.length];
  if (end - from > signature.length && command !== local && command !== proxied) return INVALID;
  if (end - from < fixed) return MORE;
  const family = buffer[from + 13];
  const next = from + fixed + buffer.readUInt16BE(from + 14);
  const addresses = command === local ? 0 : addressLengths.get(family);
  if (addresses === undefined || next > from + mostHeader || next < from + fixed + addresses) return INVALID;
  if (next > end) return MORE;
  // Of LOCAL everything is to be ignored, and nobody knows where the addresses of an unspecified family end.
  if (addresses === 0) return { endpoints: undefined, next };
  if (!isSound(buffer, from, from + fixed + addresses, next)) return INVALID;
  return { endpoints: endpointsIn(buffer, from + fixed, addresses), next };
}

function endpointsIn(buffer: Buffer, at: number, length: number): Endpoints | undefined {
  if (length > 36) return undefined;
  const host = length === 12 ? 4 : 16;
  const ports = at + 2 * host;
  return {
    source: { host: hostIn(buffer, at, host), port: buffer.readUInt16BE(ports) },
    destination: { host: hostIn(buffer, at + host, host), port: buffer.readUInt16BE(ports + 2) },
  };
}

function hostIn(buffer: Buffer, at: number, length: number): string {
  if (length === 4) return buffer.subarray(at, at + length).join('.');
  return canonical(buffer.toString('hex', at, at + length).replace(/.{4}(?=.)/g, '$&:'));
}

const types = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20 } as const;
const sslTypes = { version: 0x21, commonName: 0x22, cipher: 0x23 } as const;
/** Of PP2_TYPE_SSL, before its own vectors. */
const sslFixed = 5;
const mostAuthority = 255;
const mostUniqueId = 128;

/** The vectors in [at, end) fill it exactly, and the check sum of the header, which starts at `from`, is right if there is one. */
function isSound(buffer: Buffer, from: number, at: number, end: number): boolean {
  let sum: number | undefined;
  const whole = eachVector(buffer, at, end, (type, start, length) => {
    if (type === types.authority) return length <= mostAuthority;
    if (type === types.uniqueId) return length <= mostUniqueId;
    if (type === types.ssl) return length >= sslFixed && areVectors(buffer, start + sslFixed, start + length);
    if (type !== types.crc32c) return true;
    // Two of them could not both be right.
    if (length !== 4 || sum !== undefined) return false;
    sum = start;
    return true;
  });
  return whole && (sum === undefined || headerSum(buffer, from, end, sum) === buffer.readUInt32BE(sum));
}

const areVectors = (buffer: Buffer, at: number, end: number) => eachVector(buffer, at, end, () => true);

/** Calls `check` for each vector (type, length in two octets, value) until one is wrong. */
function eachVector(
  buffer: Buffer,
  from: number,
  end: number,
  check: (type: number, start: number, length: number) => boolean,
): boolean {
  let at = from;
  while (at + 3 <= end) {
    const length = buffer.readUInt16BE(at + 1);
    if (at + 3 + length > end || !check(buffer[at]!, at + 3, length)) return false;
    at += 3 + length;
  }
  return at === end;
}

// CRC-32C, reflected; node:zlib has only the other polynomial.
const sums = Uint32Array.from({ length: 256 }, (_, octet) => {
  let sum = octet;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  return sum;
});

/** CRC-32C of the header in [from, end), its own four octets at `field` taken for zero. */
function headerSum(buffer: Buffer, from: number, end: number, field: number): number {
  let sum = 0xffffffff;
  for (let at = from; at < end; at++) {
    const octet = at >= field && at < field + 4 ? 0 : buffer[at]!;
    sum = sums[(sum ^ octet) & 0xff]! ^ (sum >>> 8);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** What version 2 says of the client's TLS. */
export type ProxyTls = {
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  readonly alpn: string | undefined;
  /** The server name that the client asked for. */
  readonly authority: string | undefined;
  /** What became of the certificate it showed, if it did. */
  readonly certificate: 'none' | 'verified' | 'refused';
  /** The session is an earlier one's, so the certificate was shown on another connection. */
  readonly resumed: boolean;
  /** Of a verified certificate. */
  readonly commonName: string | undefined;
};

/** The header to send before the first octet of a connection. @param tls goes into version 2 alone. */
export function writeProxyHeader(version: 'v1' | 'v2', endpoints: Endpoints, tls?: ProxyTls): Buffer {
  return version === 'v1' ? writeLine(endpoints) : writeBlock(endpoints, tls);
}

/** Both of one family, which is that of IPv6 when one of them is. */
const isAllIPv4 = ({ source, destination }: Endpoints) => isIPv4(source.host) && isIPv4(destination.host);
const mapped = (host: string) => (isIPv4(host) ? `::ffff:${host}` : host);

function writeLine(endpoints: Endpoints): Buffer {
  const { source, destination } = endpoints;
  const hosts = isAllIPv4(endpoints)
    ? `TCP4 ${source.host} ${destination.host}`
    : `TCP6 ${mapped(source.host)} ${mapped(destination.host)}`;
  return Buffer.from(`PROXY ${hosts} ${source.port} ${destination.port}\r\n`, 'latin1');
}

function writeBlock(endpoints: Endpoints, tls: ProxyTls | undefined): Buffer {
  const { source, destination } = endpoints;
  const ipv4 = isAllIPv4(endpoints);
  const octets = ipv4 ? octetsOfIPv4 : octetsOfIPv6;
  const vectors = tls ? vectorsOf(tls) : [];
  const content = Buffer.concat([octets(source.host), octets(destination.host), Buffer.alloc(4), ...vectors]);
  const ports = ipv4 ? 8 : 32;
  content.writeUInt16BE(source.port, ports);
  content.writeUInt16BE(destination.port, ports + 2);
  const start = Buffer.from([
    proxied,
    ipv4 ? families.tcp4 : families.tcp6,
    content.length >> 8,
    content.length & 0xff,
  ]);
  return Buffer.concat([signature, start, content]);
}

const octetsOfIPv4 = (host: string) => Buffer.from(host.split('.').map(Number));

function octetsOfIPv6(host: string): Buffer {
  // The last two groups may be written as an address of IPv4.
  const groups = mapped(host).replace(/\d+\.\d+\.\d+\.\d+$/, (tail) =>
    octetsOfIPv4(tail).toString('hex').replace(/^.{4}/, '$&:'),
  );
  const [left = '', right] = groups.split('::').map((side) => hexOf(side));
  const middle = right === undefined ? '' : '0'.repeat(32 - left.length - right.length);
  return Buffer.from(left + middle + (right ?? ''), 'hex');
}

const hexOf = (groups: string) =>
  groups === ''
    ? ''
    : groups
        .split(':')
        .map((group) => group.padStart(4, '0'))
        .join('');

/** PP2_CLIENT_SSL; PP2_CLIENT_CERT_CONN: on this connection; PP2_CLIENT_CERT_SESS: in its session. */
const clientBits = { ssl: 0x01, onConnection: 0x02, inSession: 0x04 } as const;

function vectorsOf(tls: ProxyTls): readonly Buffer[] {
  const shown = tls.certificate === 'none' ? 0 : clientBits.inSession | (tls.resumed ? 0 : clientBits.onConnection);
  // The four octets after it are zero for a verified certificate only.
  const start = Buffer.from([clientBits.ssl | shown, 0, 0, 0, tls.certificate === 'verified' ? 0 : 1]);
  return [
    ...vector(types.alpn, tls.alpn),
    ...vector(types.authority, tls.authority),
    ...vector(types.ssl, [
      start,
      ...vector(sslTypes.version, tls.version),
      ...vector(sslTypes.commonName, tls.commonName),
      ...vector(sslTypes.cipher, tls.cipher),
    ]),
  ];
}

// No text of TLS is longer, and a peer could make our header one that nobody reads.
const mostText = 255;

function vector(type: number, value: string | readonly Buffer[] | undefined): readonly Buffer[] {
  if (value === undefined) return [];
  const octets = typeof value === 'string' ? Buffer.from(value) : Buffer.concat(value);
  if (typeof value === 'string' && octets.length > mostText) return [];
  return [Buffer.from([type, octets.length >> 8, octets.length & 0xff]), octets];
}

/** What there is to say of a connection whose TLS is terminated here. @param identity of a client whose certificate is good */
export const proxyTlsOf = (socket: TLSSocket, identity: Pick<ClientIdentity, 'cn'> | undefined): ProxyTls => ({
  version: socket.getProtocol() ?? undefined,
  cipher: socket.getCipher()?.name,
  alpn: socket.alpnProtocol || undefined,
  authority: socket.servername || undefined,
  certificate: identity ? 'verified' : socket.getPeerX509Certificate() ? 'refused' : 'none',
  resumed: socket.isSessionReused(),
  commonName: identity?.cn,
});
