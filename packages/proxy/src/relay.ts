// The response on its way to the client: the head's lines copied as ranges, those of the hop behind us left out, framing
// and connection written by us.

import { room } from './blocks.ts';
import { Body } from './http/body.ts';
import { kinds } from './http/field-kind.ts';
import { MORE, REFUSED } from './http/fields.ts';
import { Fragments } from './http/fragments.ts';
import { ResponseHead } from './http/response-head.ts';
import type { StreamPeer } from './peer.ts';

const dropped =
  (1 << kinds.transferEncoding) |
  (1 << kinds.connection) |
  (1 << kinds.hop) |
  (1 << kinds.keepAlive) |
  (1 << kinds.upgrade);

const versionWord = Buffer.from('HTTP/1.1 ');
const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n');
const closeLine = Buffer.from('Connection: close\r\n');
const keepAliveLine = Buffer.from('Connection: keep-alive\r\n');
const upgradeStart = 'Connection: Upgrade\r\nUpgrade: ';
const nothing = Buffer.alloc(0);
const crlf = Buffer.from('\r\n');
const longestOwn = 160;

/** How the response goes on after its head, and what becomes of the client's connection. */
type Manner = {
  readonly framing: 'length' | 'chunked' | 'none' | 'close';
  readonly connection: 'close' | 'keep-alive' | 'upgrade' | 'implied';
};

const mostRelayed = (head: ResponseHead) => endOf(head) - head.statusStart + longestOwn;

/** After the last field line. */
const endOf = ({ fields, lineEnd }: ResponseHead) => (fields.count > 0 ? fields.end[fields.count - 1]! : lineEnd);

/** Header fields to be left out and added on top of what HTTP demands. */
export type Edits = {
  /** Whole lines, each with its CRLF. */
  readonly lines: Buffer;
  /** Whether the field named buffer[start, end) goes. */
  dropsName(buffer: Uint8Array, start: number, end: number): boolean;
};

/** What the request and its route say about the response. */
export type Asked = {
  readonly method: string;
  /** Minor version of HTTP/1; a stream of HTTP/2 counts as 1. */
  readonly minor: number;
  /** The protocol that it asks to switch to, or nothing. */
  readonly upgrade: string;
  readonly streams: StreamPeer | undefined;
  readonly edits: Edits | undefined;
};

const mostHead = 65_536;
const mostInterim = 10;

// A head is used up as soon as it is read whole, so one serves all.
const head = new ResponseHead();

/** Turns what the application sends in answer to one request into what its client gets. */
export class Relay {
  readonly #asked: Asked;
  #body: Body | undefined;
  #asChunks = false;
  #interims = 0;
  #partial: Fragments | undefined;
  /** Of the final response, once its head is there. */
  status = 0;
  /** The client's connection may carry another request. */
  keep: boolean;
  /** The application's connection may carry another request, once the response is done. */
  reusable = false;
  /** How long the application keeps a connection, if its final response says so. */
  keepAliveSeconds: number | undefined;
  /** Why this is no HTTP response. */
  invalid: string | undefined;
  /** What follows is not HTTP, and `rest` came with it. */
  rest: Buffer | undefined;

  constructor(asked: Asked, keep: boolean) {
    this.#asked = asked;
    // What a client sends after CONNECT without waiting is for the tunnel, and no request when there is none.
    this.keep = keep && asked.method !== 'CONNECT';
  }

  /** Octets of the response's body so far. */
  get bodyLength(): number {
    return this.#body?.length ?? 0;
  }

  /** The whole response was read. */
  get done(): boolean {
    return this.#body?.done ?? false;
  }

  /** Reads buffer[from, end), which is not kept, and returns what the client gets. @param mayKeep as seen from outside. */
  read(buffer: Buffer, from: number, end: number, mayKeep: boolean): Buffer {
    if (this.#body) return this.#relayBody(this.#body, buffer, from, end);
    if (!this.#partial) return this.#readHead(buffer, from, end, mayKeep);
    // The buffer is read into again.
    const whole = this.#partial.add(Buffer.from(buffer.subarray(from, end)), mostHead);
    return whole ? this.#readHead(whole, 0, whole.length, mayKeep) : nothing;
  }

  /** The application will send no more; returns what the client gets, or undefined when that is too early. */
  end(): Buffer | undefined {
    const body = this.#body;
    if (!body?.endsWithoutFrame) return undefined;
    body.end();
    const out = Buffer.allocUnsafe(body.mostWritten(this.#asChunks));
    return out.subarray(0, body.write(nothing, out, 0, this.#asChunks));
  }

  #readHead(buffer: Buffer, from: number, end: number, mayKeep: boolean): Buffer {
    const after = head.read(buffer, from, { end, most: mostHead });
    if (after === REFUSED) return this.#refuse(head.refusal!.detail);
    if (after === MORE) {
      this.#partial = new Fragments(Buffer.from(buffer.subarray(from, end)));
      return nothing;
    }
    this.#partial = undefined;
    if (head.isInterim) return this.#relayInterim(buffer, after, end, mayKeep);
    this.keep &&= mayKeep;
    return this.#switches ? this.#switchProtocol(buffer, after, end) : this.#relayHead(buffer, after, end);
  }

  #relayInterim(buffer: Buffer, after: number, end: number, mayKeep: boolean): Buffer {
    if (++this.#interims > mostInterim) return this.#refuse('Too many interim responses');
    // 100 was answered already: the application is not asked for it.
    const wanted = head.status !== 100 && this.#asked.minor === 1;
    const interim = wanted ? this.#interim(buffer) : nothing;
    if (after === end) return interim;
    const further = this.#readHead(buffer, after, end, mayKeep);
    return interim.length === 0 ? further : Buffer.concat([interim, further]);
  }

  /** What follows the head is not HTTP. */
  get #switches(): boolean {
    return head.status === 101 || (this.#asked.method === 'CONNECT' && head.status < 300);
  }

  #interim(buffer: Buffer): Buffer {
    const manner: Manner = { framing: 'none', connection: 'implied' };
    const { streams } = this.#asked;
    if (!streams) return this.#write(buffer, manner, 0, undefined);
    streams.respond(head.status, listFields(buffer, manner, undefined), false);
    return nothing;
  }

  #relayHead(buffer: Buffer, after: number, end: number): Buffer {
    this.status = head.status;
    this.keepAliveSeconds = head.keepAliveSeconds;
    const manner = this.#decide();
    const body = this.#body!;
    const stop = body.done ? after : body.read(buffer, after, end);
    if (stop < 0) return this.#refuse(body.refusal!.detail);
    if (stop < end) this.reusable = false;
    const { streams, edits } = this.#asked;
    if (!streams) return this.#write(buffer, manner, stop > after ? body.mostWritten(this.#asChunks) : 0, edits);
    streams.respond(head.status, listFields(buffer, manner, edits), body.done && body.pending === 0);
    return stop > after ? this.#copyBody(body, buffer) : nothing;
  }

  /** The head, and the body's first octets if there is room for them to be asked for. */
  #write(buffer: Buffer, manner: Manner, bodyRoom: number, edits: Edits | undefined): Buffer {
    const own = (edits ? edits.lines.length : 0) + this.#asked.upgrade.length;
    const out = room(mostRelayed(head) + own + bodyRoom);
    const to = writeHead(buffer, out, manner, edits, this.#asked.upgrade);
    return out.subarray(0, bodyRoom > 0 ? this.#body!.write(buffer, out, to, this.#asChunks) : to);
  }

  #copyBody(body: Body, buffer: Buffer): Buffer {
    const out = room(body.mostWritten(this.#asChunks));
    return out.subarray(0, body.write(buffer, out, 0, this.#asChunks));
  }

  /** How the response ends behind us, and how it is framed before us. */
  #decide(): Manner {
    const { status, framing } = head;
    const { length, chunked } = framing;
    const { method, minor, streams } = this.#asked;
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    const measured = bodiless || length >= 0;
    if (bodiless) this.#body = Body.ofLength(0);
    else if (chunked) this.#body = Body.chunked();
    else this.#body = measured ? Body.ofLength(length) : Body.untilEnd();
    // A body where none may be would be taken for the next response.
    const contradicts = (status === 204 || status === 304) && (chunked || length > 0);
    this.reusable = head.keepsAlive && (measured || chunked) && !contradicts;
    this.#asChunks = !measured && minor === 1 && !streams;
    if (!measured && minor === 0) this.keep = false;
    const connection = !this.keep ? 'close' : minor === 0 ? 'keep-alive' : 'implied';
    if (measured) return { framing: status === 204 ? 'none' : 'length', connection };
    return { framing: this.#asChunks ? 'chunked' : 'none', connection };
  }

  #relayBody(body: Body, buffer: Buffer, from: number, end: number): Buffer {
    const stop = body.read(buffer, from, end);
    if (stop < 0) return this.#refuse(body.refusal!.detail);
    if (stop < end) this.reusable = false;
    return this.#copyBody(body, buffer);
  }

  #switchProtocol(buffer: Buffer, after: number, end: number): Buffer {
    if (head.status === 101 && !this.#asked.upgrade)
      return this.#refuse('It switched protocols without being asked to');
    this.status = head.status;
    this.rest = Buffer.from(buffer.subarray(after, end));
    const connection = head.status === 101 ? 'upgrade' : 'implied';
    return this.#write(buffer, { framing: 'none', connection }, 0, this.#asked.edits);
  }

  #refuse(reason: string): Buffer {
    this.invalid = reason;
    return nothing;
  }
}

/** Whether field `i` is left out. */
function leavesOut(buffer: Buffer, i: number, manner: Manner, edits: Edits | undefined): boolean {
  const { fields, framing, connection } = head;
  const kind = fields.kind[i]!;
  if (kind === kinds.contentLength) return !(framing.canonical && manner.framing === 'length');
  if (((dropped >> kind) & 1) !== 0) return true;
  const start = fields.start[i]!;
  const nameEnd = fields.nameEnd[i]!;
  if (kind === kinds.other && connection.nominated !== undefined && connection.nominates(buffer, start, nameEnd))
    return true;
  return edits?.dropsName(buffer, start, nameEnd) ?? false;
}

/** Writes the head to `out`, which has room for `mostRelayed` and the edits; returns the offset after it. */
function writeHead(buffer: Buffer, out: Buffer, manner: Manner, edits: Edits | undefined, upgrade: string): number {
  const { fields, framing } = head;
  let to = versionWord.copy(out, 0);
  let from = head.statusStart;
  for (let i = 0; i < fields.count; i++) {
    if (!leavesOut(buffer, i, manner, edits)) continue;
    if (fields.start[i]! > from) to += buffer.copy(out, to, from, fields.start[i]!);
    from = fields.end[i]!;
  }
  const end = endOf(head);
  if (end > from) to += buffer.copy(out, to, from, end);
  if (edits) to += edits.lines.copy(out, to);
  if (manner.framing === 'length' && framing.length >= 0 && !framing.canonical)
    to += out.write(`Content-Length: ${framing.length}\r\n`, to, 'latin1');
  if (manner.framing === 'chunked') to += chunkedLine.copy(out, to);
  if (manner.connection === 'close') to += closeLine.copy(out, to);
  else if (manner.connection === 'keep-alive') to += keepAliveLine.copy(out, to);
  else if (manner.connection === 'upgrade') to += out.write(`${upgradeStart}${upgrade}\r\n`, to, 'latin1');
  return to + crlf.copy(out, to);
}

/** The fields as HTTP/2 has them: names in lower case and values, by turns. */
function listFields(buffer: Buffer, manner: Manner, edits: Edits | undefined): string[] {
  const { fields, framing } = head;
  const list: string[] = [];
  for (let i = 0; i < fields.count; i++) {
    if (leavesOut(buffer, i, manner, edits)) continue;
    list.push(
      buffer.toString('latin1', fields.start[i]!, fields.nameEnd[i]!).toLowerCase(),
      buffer.toString('latin1', fields.valueStart[i]!, fields.valueEnd[i]!),
    );
  }
  if (manner.framing === 'length' && framing.length >= 0 && !framing.canonical)
    list.push('content-length', String(framing.length));
  for (const line of edits ? edits.lines.toString('latin1').split('\r\n') : []) {
    const colon = line.indexOf(':');
    if (colon > 0) list.push(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return list;
}
