// The request's head as the application gets it: lines copied as ranges in their order and case, those of this hop left
// out, framing and identity written by us at the end.

import { kinds } from './http/field-kind.ts';
import type { RequestHead } from './http/request-head.ts';

const dropped =
  (1 << kinds.transferEncoding) |
  (1 << kinds.connection) |
  (1 << kinds.hop) |
  (1 << kinds.upgrade) |
  (1 << kinds.expect) |
  (1 << kinds.identity) |
  (1 << kinds.alias);

const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n');
const upgradeLines = Buffer.from('Connection: Upgrade\r\nUpgrade: websocket\r\n');
const crlf = Buffer.from('\r\n');
const longestOwn = chunkedLine.length + upgradeLines.length + 64;

/** What is said of a client in each of its requests; made once per connection. */
export type Identity = {
  /** X-Forwarded-For and X-Forwarded-Proto, then `X-Forwarded-Host: ` to be continued. */
  readonly withHost: Buffer;
  readonly withoutHost: Buffer;
};

export function identify(remoteAddress: string, protocol: 'http' | 'https'): Identity {
  const lines = `X-Forwarded-For: ${remoteAddress}\r\nX-Forwarded-Proto: ${protocol}\r\n`;
  return { withHost: Buffer.from(`${lines}X-Forwarded-Host: `), withoutHost: Buffer.from(lines) };
}

/** How many octets `writeHead` may need. */
export const mostForwarded = (head: RequestHead, identity: Identity, upstreamHost: string) =>
  endOf(head) -
  head.start +
  (head.hostEnd - head.hostStart) +
  identity.withHost.length +
  upstreamHost.length +
  longestOwn;

/** After the last field line. */
const endOf = ({ fields, lineEnd }: RequestHead) => (fields.count > 0 ? fields.end[fields.count - 1]! : lineEnd);

export type Passage = {
  readonly head: RequestHead;
  readonly identity: Identity;
  /** Host for a client of HTTP/1.0 that names none. */
  readonly upstreamHost: string;
};

/** Writes the head to `out`, which has room for `mostForwarded`; returns the offset after it. */
export function writeHead(buffer: Buffer, out: Buffer, { head, identity, upstreamHost }: Passage): number {
  let to = 0;
  // An ordinary request line is copied together with the fields after it.
  let from = head.start;
  if (head.minor !== 1 || head.rewritten !== undefined) {
    const target = head.rewritten ?? buffer.toString('latin1', head.targetStart, head.targetEnd);
    to += out.write(`${head.method} ${target} HTTP/1.1\r\n`, to, 'latin1');
    from = head.lineEnd;
  }
  const { fields, framing, connection } = head;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind[i]!;
    const goes = kind === kinds.other ? connection.nominated === undefined : ((dropped >> kind) & 1) === 0;
    if (goes && (kind !== kinds.contentLength || framing.canonical)) continue;
    if (kind === kinds.other && !connection.nominates(buffer, fields.start[i]!, fields.nameEnd[i]!)) continue;
    if (fields.start[i]! > from) to += buffer.copy(out, to, from, fields.start[i]!);
    from = fields.end[i]!;
  }
  const end = endOf(head);
  if (end > from) to += buffer.copy(out, to, from, end);
  to = writeIdentity(buffer, out, to, { head, identity, upstreamHost });
  if (framing.chunked) to += chunkedLine.copy(out, to);
  if (framing.length >= 0 && !framing.canonical) to += out.write(`Content-Length: ${framing.length}\r\n`, to, 'latin1');
  if (head.websocket) to += upgradeLines.copy(out, to);
  return to + crlf.copy(out, to);
}

function writeIdentity(buffer: Buffer, out: Buffer, at: number, { head, identity, upstreamHost }: Passage): number {
  if (head.hostEnd === 0) {
    const to = at + identity.withoutHost.copy(out, at);
    return to + out.write(`Host: ${upstreamHost}\r\n`, to, 'latin1');
  }
  let to = at + identity.withHost.copy(out, at);
  to += buffer.copy(out, to, head.hostStart, head.hostEnd);
  return to + crlf.copy(out, to);
}
