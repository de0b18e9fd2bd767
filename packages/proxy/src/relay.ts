// The response on its way to the client: the head's lines copied as ranges, those of the hop behind us left out, framing
// and connection written by us.

import { room } from './blocks.ts';
import { Body } from './http/body.ts';
import { kinds } from './http/field-kind.ts';
import { MORE, REFUSED } from './http/fields.ts';
import { Fragments } from './http/fragments.ts';
import { ResponseHead } from './http/response-head.ts';

const dropped = (1 << kinds.transferEncoding) | (1 << kinds.connection) | (1 << kinds.hop) | (1 << kinds.upgrade);

const versionWord = Buffer.from('HTTP/1.1 ');
const chunkedLine = Buffer.from('Transfer-Encoding: chunked\r\n');
const closeLine = Buffer.from('Connection: close\r\n');
const keepAliveLine = Buffer.from('Connection: keep-alive\r\n');
const upgradeLines = Buffer.from('Connection: Upgrade\r\nUpgrade: websocket\r\n');
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

/** What the request said about its response. */
export type Asked = {
  readonly method: string;
  /** Minor version of HTTP. */
  readonly minor: number;
  readonly websocket: boolean;
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
  /** Why this is no HTTP response. */
  invalid: string | undefined;
  /** 101: what follows is not HTTP. `rest` came with it. */
  rest: Buffer | undefined;

  constructor(asked: Asked, keep: boolean) {
    this.#asked = asked;
    this.keep = keep;
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
    if (!body?.endsWithConnection) return undefined;
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
    return head.status === 101 ? this.#switchProtocol(buffer, after, end) : this.#relayHead(buffer, after, end);
  }

  #relayInterim(buffer: Buffer, after: number, end: number, mayKeep: boolean): Buffer {
    if (++this.#interims > mostInterim) return this.#refuse('Too many interim responses');
    // 100 was answered already: the application is not asked for it.
    const wanted = head.status !== 100 && this.#asked.minor === 1;
    const interim = wanted ? this.#write(buffer, { framing: 'none', connection: 'implied' }, 0).out : nothing;
    if (after === end) return interim;
    const further = this.#readHead(buffer, after, end, mayKeep);
    return interim.length === 0 ? further : Buffer.concat([interim, further]);
  }

  #relayHead(buffer: Buffer, after: number, end: number): Buffer {
    this.status = head.status;
    const manner = this.#decide();
    const body = this.#body!;
    const stop = body.done ? after : body.read(buffer, after, end);
    if (stop < 0) return this.#refuse(body.refusal!.detail);
    if (stop < end) this.reusable = false;
    const { out, length } = this.#write(buffer, manner, body.mostWritten(this.#asChunks));
    return stop > after ? out.subarray(0, body.write(buffer, out, length, this.#asChunks)) : out.subarray(0, length);
  }

  #write(buffer: Buffer, manner: Manner, most: number): { out: Buffer; length: number } {
    const out = room(mostRelayed(head) + most);
    const length = writeHead(buffer, out, head, manner);
    return { out: most > 0 ? out : out.subarray(0, length), length };
  }

  /** How the response ends behind us, and how it is framed before us. */
  #decide(): Manner {
    const { status, framing } = head;
    const { length, chunked } = framing;
    const { method, minor } = this.#asked;
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    const measured = bodiless || length >= 0;
    if (bodiless) this.#body = Body.ofLength(0);
    else if (chunked) this.#body = Body.chunked();
    else this.#body = measured ? Body.ofLength(length) : Body.untilClose();
    // A body where none may be would be taken for the next response.
    const contradicts = (status === 204 || status === 304) && (chunked || length > 0);
    this.reusable = head.keepsAlive && (measured || chunked) && !contradicts;
    this.#asChunks = !measured && minor === 1;
    if (!measured && minor === 0) this.keep = false;
    const connection = !this.keep ? 'close' : minor === 0 ? 'keep-alive' : 'implied';
    if (measured) return { framing: status === 204 ? 'none' : 'length', connection };
    return { framing: this.#asChunks ? 'chunked' : 'none', connection };
  }

  #relayBody(body: Body, buffer: Buffer, from: number, end: number): Buffer {
    const stop = body.read(buffer, from, end);
    if (stop < 0) return this.#refuse(body.refusal!.detail);
    if (stop < end) this.reusable = false;
    const out = room(body.mostWritten(this.#asChunks));
    return out.subarray(0, body.write(buffer, out, 0, this.#asChunks));
  }

  #switchProtocol(buffer: Buffer, after: number, end: number): Buffer {
    if (!this.#asked.websocket) return this.#refuse('It switched protocols without being asked to');
    this.status = 101;
    this.rest = Buffer.from(buffer.subarray(after, end));
    return this.#write(buffer, { framing: 'none', connection: 'upgrade' }, 0).out;
  }

  #refuse(reason: string): Buffer {
    this.invalid = reason;
    return nothing;
  }
}

/** Writes the head to `out`, which has room for `mostRelayed`; returns the offset after it. */
function writeHead(buffer: Buffer, out: Buffer, head: ResponseHead, manner: Manner): number {
  const { fields, framing, connection } = head;
  let to = versionWord.copy(out, 0);
  let from = head.statusStart;
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind[i]!;
    if (kind === kinds.other) {
      if (connection.nominated === undefined) continue;
      if (!connection.nominates(buffer, fields.start[i]!, fields.nameEnd[i]!)) continue;
    } else if (kind === kinds.contentLength) {
      if (framing.canonical && manner.framing === 'length') continue;
    } else if (((dropped >> kind) & 1) === 0) continue;
    if (fields.start[i]! > from) to += buffer.copy(out, to, from, fields.start[i]!);
    from = fields.end[i]!;
  }
  const end = endOf(head);
  if (end > from) to += buffer.copy(out, to, from, end);
  if (manner.framing === 'length' && framing.length >= 0 && !framing.canonical)
    to += out.write(`Content-Length: ${framing.length}\r\n`, to, 'latin1');
  if (manner.framing === 'chunked') to += chunkedLine.copy(out, to);
  if (manner.connection === 'close') to += closeLine.copy(out, to);
  else if (manner.connection === 'keep-alive') to += keepAliveLine.copy(out, to);
  else if (manner.connection === 'upgrade') to += upgradeLines.copy(out, to);
  return to + crlf.copy(out, to);
}
