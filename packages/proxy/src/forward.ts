// The request's head as the application gets it: lines copied as ranges in their order and case, those of this hop left
// out, framing and identity written by us at the end.

import type { Account } from './account.ts';
import { kinds } from './http/field-kind.ts';
import type { RequestHead } from './http/request-head.ts';
import { describeClient, type Identity } from './identity.ts';
import type { Pool } from './pool.ts';
import type { Edits } from './relay.ts';
import type { Rule } from './routes/rule.ts';
import { isTraced, makeTraceparent } from './trace.ts';

const dropped =
  (1 << kinds.transferEncoding) |
  (1 << kinds.connection) |
  (1 << kinds.hop) |
  (1 << kinds.keepAlive) |
  (1 << kinds.upgrade) |
  (1 << kinds.expect) |
  (1 << kinds.identity) |
  (1 << kinds.alias) |
  (1 << kinds.forwardedFor) |
  (1 << kinds.forwardedProto) |
  (1 << kinds.forwardedHost) |
  (1 << kinds.forwarded);

const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n');
const upgradeStart = 'Connection: Upgrade\r\nUpgrade: ';
const crlf = Buffer.from('\r\n');
const longestOwn = chunkedLine.length + upgradeStart.length + 64;

/** How many octets `writeHead` may need. */
export const mostForwarded = ({ head, identity, upstreamHost, edits, extra }: Passage) =>
  endOf(head) -
  head.start +
  (head.rewritten ? head.rewritten.length : 0) +
  (head.hostEnd - head.hostStart) +
  (identity.withHost ?? identity.withoutHost).length +
  upstreamHost.length +
  (edits ? edits.lines.length : 0) +
  (extra ? extra.length : 0) +
  head.upgrade.length +
  longestOwn;

/** After the last field line. */
const endOf = ({ fields, lineEnd }: RequestHead) => (fields.count > 0 ? fields.end[fields.count - 1]! : lineEnd);

export type Passage = {
  readonly head: RequestHead;
  readonly identity: Identity;
  /** Host for a client of HTTP/1.0 that names none. */
  readonly upstreamHost: string;
  /** Of the rule that the request falls under. */
  readonly edits: Edits | undefined;
  /** Further lines of our own; those about the client too, where `identity` has none for all requests. */
  readonly extra: Buffer | undefined;
  /** A traceparent in `extra` takes the place of one that cannot be read. */
  readonly retrace?: boolean;
};

type About = {
  readonly identity: Identity;
  readonly rule: Pick<Rule, 'request'>;
  readonly pool: Pick<Pool, 'host'>;
  /** Is told of a trace context that is made. */
  readonly account: Pick<Account, 'traced'>;
};

/** What is said to the application beside what the client said. @param make a trace context where there is none. */
export function passageOf(buffer: Buffer, head: RequestHead, about: About, make: boolean): Passage {
  const { identity, rule, pool, account } = about;
  const retrace = make && !isTraced(buffer, head);
  const client = identity.withHost ? undefined : describeClient(buffer, head, identity);
  const trace = retrace ? traceLine(account) : undefined;
  const extra = client && trace ? Buffer.concat([client, trace]) : (client ?? trace);
  return { head, identity, upstreamHost: pool.host, edits: rule.request, extra, retrace };
}

function traceLine(account: Pick<Account, 'traced'>): Buffer {
  const traceparent = makeTraceparent();
  account.traced(traceparent);
  return Buffer.from(`traceparent: ${traceparent}\r\n`, 'latin1');
}

/** Writes the head to `out`, which has room for `mostForwarded`; returns the offset after it. */
export function writeHead(buffer: Buffer, out: Buffer, passage: Passage): number {
  const { head, edits, extra } = passage;
  let to = 0;
  // An ordinary request line is copied together with the fields after it.
  let from = head.start;
  if (head.minor !== 1 || head.rewritten !== undefined) {
    const target = head.rewritten ?? buffer.toString('latin1', head.targetStart, head.targetEnd);
    to += out.write(`${head.method} ${target} HTTP/1.1\r\n`, to, 'latin1');
    from = head.lineEnd;
  }
  const { fields, framing } = head;
  for (let i = 0; i < fields.count; i++) {
    if (!leavesOut(buffer, i, passage)) continue;
    if (fields.start[i]! > from) to += buffer.copy(out, to, from, fields.start[i]!);
    from = fields.end[i]!;
  }
  const end = endOf(head);
  if (end > from) to += buffer.copy(out, to, from, end);
  to = writeIdentity(buffer, out, to, passage);
  if (edits) to += edits.lines.copy(out, to);
  if (extra) to += extra.copy(out, to);
  if (framing.chunked) to += chunkedLine.copy(out, to);
  if (framing.length >= 0 && !framing.canonical) to += out.write(`Content-Length: ${framing.length}\r\n`, to, 'latin1');
  if (head.upgrade) to += out.write(`${upgradeStart}${head.upgrade}\r\n`, to, 'latin1');
  return to + crlf.copy(out, to);
}

/** Whether field `i` is left out. */
function leavesOut(buffer: Buffer, i: number, { head, edits, retrace }: Passage): boolean {
  const { fields, framing, connection } = head;
  const kind = fields.kind[i]!;
  if (kind === kinds.contentLength) return !framing.canonical;
  if (((dropped >> kind) & 1) !== 0) return true;
  if (retrace && (kind === kinds.traceparent || kind === kinds.tracestate)) return true;
  const start = fields.start[i]!;
  const nameEnd = fields.nameEnd[i]!;
  if (kind === kinds.other && connection.nominated !== undefined && connection.nominates(buffer, start, nameEnd))
    return true;
  return edits?.dropsName(buffer, start, nameEnd) ?? false;
}

function writeIdentity(buffer: Buffer, out: Buffer, at: number, { head, identity, upstreamHost }: Passage): number {
  const { withHost, withoutHost } = identity;
  if (head.hostEnd === 0) {
    const to = withHost ? at + withoutHost.copy(out, at) : at;
    return to + out.write(`Host: ${upstreamHost}\r\n`, to, 'latin1');
  }
  if (!withHost) return at;
  let to = at + withHost.copy(out, at);
  to += buffer.copy(out, to, head.hostStart, head.hostEnd);
  return to + crlf.copy(out, to);
}
