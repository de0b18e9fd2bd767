// Heads between the two versions: a request's on its way to an application of HTTP/2, and that application's response on
// its way to a client of HTTP/1.

import { STATUS_CODES } from 'node:http';
import { mostForwarded, type Passage, writeHead } from '../forward.ts';
import { kindOf, kinds } from '../http/field-kind.ts';
import { Fields, REFUSED } from '../http/fields.ts';
import { equalsIgnoringCase } from '../http/octets.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Edits } from '../relay.ts';

const ofHop =
  (1 << kinds.transferEncoding) |
  (1 << kinds.connection) |
  (1 << kinds.hop) |
  (1 << kinds.keepAlive) |
  (1 << kinds.upgrade);

// RFC 9110 6.5.1: what decides about the message comes before it, or not at all.
const notAtTheEnd = new Set([
  'authorization',
  'content-type',
  'content-encoding',
  'content-range',
  'cookie',
  'set-cookie',
]);

const written = new Fields();
const teName = Buffer.from('te');
const crlf = Buffer.from('\r\n');

/**
 * The head as the application gets it, names and values by turns: written as for HTTP/1, so that all rules about it are in
 * one place, and taken apart again. Undefined when it has too many fields.
 */
export function requestFields(buffer: Buffer, passage: Passage, streams: boolean): string[] | undefined {
  const { head } = passage;
  const out = Buffer.allocUnsafe(mostForwarded(passage));
  const end = writeHead(buffer, out, passage);
  const line = out.indexOf(crlf);
  if (written.read(out, line + 2, end) === REFUSED) return undefined;
  const [, target = '/'] = out.toString('latin1', 0, line).split(' ');
  const fields = [':method', head.method, ':scheme', 'http', ':authority', '', ':path', target];
  for (let i = 0; i < written.count; i++) take(out, i, fields);
  if (streams && asksForTrailers(buffer, head)) fields.push('te', 'trailers');
  return fields;
}

function take(out: Buffer, i: number, fields: string[]): void {
  const kind = written.kind[i]!;
  const value = out.toString('latin1', written.valueStart[i], written.valueEnd[i]);
  if (kind === kinds.host) fields[5] = value;
  else if (((ofHop >> kind) & 1) === 0)
    fields.push(out.toString('latin1', written.start[i], written.nameEnd[i]).toLowerCase(), value);
}

/** `te: trailers` is the one field of a hop that gRPC wants at every one. */
function asksForTrailers(buffer: Buffer, { fields }: RequestHead): boolean {
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind[i] !== kinds.hop || !equalsIgnoringCase(buffer, fields.start[i]!, fields.nameEnd[i]!, teName))
      continue;
    return /\btrailers\b/i.test(buffer.toString('latin1', fields.valueStart[i], fields.valueEnd[i]));
  }
  return false;
}

/** A response's fields without its pseudo-fields and those of the hop, and with what a rule changes about it. */
export function responseFields(received: readonly string[], edits: Edits | undefined): string[] {
  const goes = (octets: Buffer, kind: number) =>
    ((ofHop >> kind) & 1) === 1 || edits?.dropsName(octets, 0, octets.length) === true;
  const fields = without(received, goes);
  if (edits) fields.push(...linesOf(edits));
  return fields;
}

/** What may follow a body, in either direction. */
export function trailerFields(received: readonly string[]): string[] {
  return without(received, (octets, kind) => kind !== kinds.other || notAtTheEnd.has(octets.toString('latin1')));
}

function without(received: readonly string[], goes: (name: Buffer, kind: number) => boolean): string[] {
  const fields: string[] = [];
  for (let i = 0; i < received.length; i += 2) {
    const name = received[i]!;
    const octets = Buffer.from(name, 'latin1');
    if (!name.startsWith(':') && !goes(octets, kindOf(octets, 0, octets.length))) fields.push(name, received[i + 1]!);
  }
  return fields;
}

/** Fields as node:http2 takes them for all but the head of a response. */
export function gather(fields: readonly string[]): Record<string, string[]> {
  const gathered: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    gathered[name] = [...(gathered[name] ?? []), fields[i + 1]!];
  }
  return gathered;
}

/** Of the field with this name, in a list of names and values by turns. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

function linesOf({ lines }: Edits): string[] {
  const fields: string[] = [];
  for (const line of lines.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** How a response goes to a client of HTTP/1. */
export type Manner = { readonly chunked: boolean; readonly connection: 'close' | 'keep-alive' | undefined };

export function responseHead(status: number, fields: readonly string[], { chunked, connection }: Manner): Buffer {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  if (chunked) text += 'Transfer-Encoding: chunked\r\n';
  if (connection) text += `Connection: ${connection}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}
