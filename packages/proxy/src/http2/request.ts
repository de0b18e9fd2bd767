// A request of HTTP/2 as the octets of an HTTP/1.1 head, to be read by the same strict reader: what is refused there is
// refused here, and whatever looks at heads knows one kind of them. nghttp2 has already refused what RFC 9113 calls
// malformed (upper case, fields of the connection, wrong pseudo-fields and paths, a length that its body contradicts) and
// left out fields whose name or value holds an octet that may not be there.

import { MORE, REFUSED } from '../http/fields.ts';
import { type Refusal, refusals } from '../http/refusal.ts';
import { ordinary, RequestHead } from '../http/request-head.ts';
import { withoutDefaultPort } from '../http/target.ts';

/** A request's head; used up before the next one is read. */
export type Request = { readonly head: RequestHead; readonly octets: Buffer };

// A head is used up as soon as it is read whole, so one serves all streams.
const head = new RequestHead();

const suspicious = { ...ordinary, suspect: true };

const withContent = new Set(['POST', 'PUT', 'PATCH']);

type Lines = { text: string; count: number; host: string | undefined; cookies: string; measured: boolean };
type Pseudo = { method: string; scheme: string; authority: string | undefined; path: string };

export type Reading = {
  /** Of the body, where that is known. */
  readonly length: number | undefined;
  /** How long a head may be. */
  readonly most: number;
  /** What is suspect but has one meaning is let through. */
  readonly suspect: boolean;
};

/** @param fields names and values by turns, as they came. */
export function readRequest(fields: readonly string[], { length, most, suspect }: Reading): Request | Refusal {
  head.allows = suspect ? suspicious : ordinary;
  const pseudo: Pseudo = { method: '', scheme: '', authority: undefined, path: '' };
  const lines: Lines = { text: '', count: 0, host: undefined, cookies: '', measured: false };
  for (let i = 0; i < fields.length; i += 2) take(fields[i]!, fields[i + 1]!, pseudo, lines);
  const { authority, method } = pseudo;
  const host = authority ?? lines.host ?? '';
  if (lines.host !== undefined && authority !== undefined && !sameHost(authority, lines.host))
    return refusals.targetHost;
  const target = method === 'CONNECT' ? host : pseudo.path;
  if (method !== 'CONNECT' && !isTarget(pseudo)) return refusals.target;
  addLine(lines, 'host', host);
  if (lines.cookies !== '') addLine(lines, 'cookie', lines.cookies);
  frame(lines, method, length);
  const octets = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.text}\r\n`, 'latin1');
  const refusal = readHead(octets, lines.count, most);
  return refusal ?? { head, octets };
}

function take(name: string, value: string, pseudo: Pseudo, lines: Lines): void {
  if (name === ':method') pseudo.method = value;
  else if (name === ':path') pseudo.path = value;
  else if (name === ':scheme') pseudo.scheme = value;
  else if (name === ':authority') pseudo.authority = value;
  else if (name === 'host') lines.host = value;
  // RFC 9113 8.2.3: crumbs make one field for whoever speaks HTTP/1.
  else if (name === 'cookie') lines.cookies += lines.cookies === '' ? value : `; ${value}`;
  else {
    if (name === 'content-length') lines.measured = true;
    addLine(lines, name, value);
  }
}

function addLine(lines: Lines, name: string, value: string): void {
  lines.text += `${name}: ${value}\r\n`;
  lines.count++;
}

// The stream ends the body; for the reader it is chunked when its length is not known. An empty one is said to be empty
// where the method would have one, since there are applications that insist.
function frame(lines: Lines, method: string, length: number | undefined): void {
  if (lines.measured) return;
  if (length === undefined) addLine(lines, 'transfer-encoding', 'chunked');
  else if (length > 0 || withContent.has(method)) addLine(lines, 'content-length', String(length));
}

const sameHost = (authority: string, host: string) =>
  withoutDefaultPort(authority, 'https') === withoutDefaultPort(host, 'https');

/** The reader also knows the absolute form, which a :path never has: it would name a second host. */
function isTarget({ scheme, path }: Pseudo): boolean {
  return (scheme === 'https' || scheme === 'http') && (path.startsWith('/') || path === '*');
}

function readHead(octets: Buffer, count: number, most: number): Refusal | undefined {
  const after = head.read(octets, 0, { end: octets.length, most });
  if (after === REFUSED) return head.refusal ?? refusals.fieldValue;
  if (after === MORE) return refusals.headLength;
  // A line end inside a value would make more fields of it, or end the head before its end.
  return after === octets.length && head.fields.count === count ? undefined : refusals.fieldValue;
}
