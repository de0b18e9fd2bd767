// The head of a request: strict, in place, without strings. One instance serves all connections, since a head is read and
// used up without waiting in between.

import { ConnectionOptions } from './connection-field.ts';
import { kinds } from './field-kind.ts';
import { type Bounds, Fields, MORE, REFUSED } from './fields.ts';
import { Framing, NO_LENGTH } from './framing.ts';
import { COLON, CR, equalsIgnoringCase, highOctet, LF, SLASH, SP, targetOctet, token } from './octets.ts';
import { observable, type Refusal, refusals } from './refusal.ts';
import { isHost, schemeOf, splitAbsolute, withoutDefaultPort } from './target.ts';

export const mostTarget = 8192;
const mostMethod = 32;

const version = Buffer.from('HTTP/1.');
const ASTERISK = 0x2a;
const continueWord = Buffer.from('100-continue');
const versionName = Buffer.from('sec-websocket-version');
const version13 = Buffer.from('13');

// Methods without effect, or with the same effect when repeated: RFC 9110 9.2.2.
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PROPFIND', 'REPORT', 'SEARCH']);
const bodiless = new Set(['GET', 'HEAD', 'DELETE']);

/** What is accepted beyond what every request may be. */
export type Allowance = {
  /** What is suspect but has one meaning. */
  readonly suspect: boolean;
  /** In lower case. */
  readonly upgrades: ReadonlySet<string>;
  readonly connect: boolean;
};

export const ordinary: Allowance = { suspect: false, upgrades: new Set(['websocket']), connect: false };

export class RequestHead {
  readonly fields = new Fields();
  readonly framing = new Framing();
  readonly connection = new ConnectionOptions();
  refusal: Refusal | undefined;
  /** Set before reading. */
  allows: Allowance = ordinary;
  /** What was suspect, and let through. */
  observed: Refusal[] | undefined;
  method = '';
  /** Where the request line starts: after an empty line, if there was one before it. */
  start = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Minor version: 0 or 1. */
  minor = 1;
  /** After the line's CRLF. */
  lineEnd = 0;
  /** The path of an absolute-form target, to be sent in its place. */
  rewritten: string | undefined;
  hostStart = 0;
  hostEnd = 0;
  expectsContinue = false;
  /** The protocol to switch to, in lower case. Any that is not allowed is ignored, which the sender must be ready for. */
  upgrade = '';

  #upgradeAsked = '';

  get hasBody(): boolean {
    return this.framing.chunked || this.framing.length > 0;
  }

  get isIdempotent(): boolean {
    return idempotent.has(this.method);
  }

  get keepsAlive(): boolean {
    return this.minor === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
  }

  /** Reads a head that starts at `from`; returns the offset after it, MORE or REFUSED. */
  read(buffer: Buffer, from: number, { end, most }: Bounds): number {
    this.refusal = this.observed = undefined;
    const limit = Math.min(end, from + most);
    const after = this.#readAll(buffer, from, limit);
    return after === MORE && end - from >= most ? this.#refuse(refusals.headLength) : after;
  }

  #readAll(buffer: Buffer, from: number, limit: number): number {
    const lineEnd = this.#readLine(buffer, from, limit);
    if (lineEnd <= 0) return lineEnd;
    const end = this.fields.read(buffer, lineEnd, limit);
    if (end === REFUSED) return this.#refuse(this.fields.refusal!);
    if (end === MORE) return MORE;
    const refusal = this.#interpretTarget(buffer) ?? this.#interpretFields(buffer) ?? this.#conclude(buffer);
    return refusal ? this.#refuse(refusal) : end;
  }

  /** METHOD SP target SP HTTP/1.x CRLF, with exactly these spaces. */
  #readLine(buffer: Buffer, from: number, limit: number): number {
    let at = from;
    // RFC 9112 2.2: one empty line before a request is forgiven.
    if (at < limit && buffer[at] === CR) {
      if (at + 1 >= limit) return MORE;
      if (buffer[at + 1] !== LF) return this.#refuse(refusals.bareCarriageReturn);
      at += 2;
    }
    this.start = at;
    while (at < limit && token[buffer[at]!] === 1) at++;
    if (at - this.start > mostMethod) return this.#refuse(refusals.requestLine);
    if (at >= limit) return MORE;
    if (buffer[at] !== SP || at === this.start) return this.#refuse(refusals.requestLine);
    this.methodEnd = at;
    this.targetStart = ++at;
    while (at < limit && targetOctet[buffer[at]!] === 1) at++;
    if (this.allows.suspect && highOctet[buffer[at]!] === 1 && at < limit) at = this.#readHighTarget(buffer, at, limit);
    if (at - this.targetStart > mostTarget) return this.#refuse(refusals.targetLength);
    if (at >= limit) return MORE;
    if (buffer[at] !== SP) return this.#refuse(buffer[at] === CR ? refusals.requestLine : refusals.target);
    if (at === this.targetStart) return this.#refuse(refusals.requestLine);
    this.targetEnd = at;
    return this.#readVersion(buffer, at + 1, limit);
  }

  #readHighTarget(buffer: Buffer, from: number, limit: number): number {
    let at = from;
    while (at < limit && (targetOctet[buffer[at]!] === 1 || highOctet[buffer[at]!] === 1)) at++;
    this.#weigh(refusals.target);
    return at;
  }

  /** Whether to refuse: returns nothing for what is let through. */
  #weigh(refusal: Refusal | undefined): Refusal | undefined {
    if (!refusal || !this.allows.suspect || !observable.has(refusal)) return refusal;
    this.observed ??= [];
    this.observed.push(refusal);
    return undefined;
  }

  #readVersion(buffer: Buffer, from: number, limit: number): number {
    for (let i = 0; i < version.length; i++) {
      if (from + i >= limit) return MORE;
      // From the slash on it is HTTP of some version, before it nothing known.
      if (buffer[from + i] !== version[i]) return this.#refuse(i < 5 ? refusals.requestLine : refusals.version);
    }
    const at = from + version.length;
    if (at >= limit) return MORE;
    this.minor = buffer[at]! - 0x30;
    if (this.minor !== 0 && this.minor !== 1) return this.#refuse(refusals.version);
    if (at + 1 >= limit) return MORE;
    if (buffer[at + 1] === LF) return this.#refuse(refusals.bareLineFeed);
    if (buffer[at + 1] !== CR) return this.#refuse(refusals.version);
    if (at + 2 >= limit) return MORE;
    if (buffer[at + 2] !== LF) return this.#refuse(refusals.bareCarriageReturn);
    this.lineEnd = at + 3;
    return this.lineEnd;
  }

  #interpretTarget(buffer: Buffer): Refusal | undefined {
    this.method = methodOf(buffer, this.start, this.methodEnd);
    this.rewritten = undefined;
    if (this.method === 'CONNECT') return this.#judgeConnect(buffer);
    if (this.method === 'TRACE' || this.method === 'PRI') return refusals.method;
    const first = buffer[this.targetStart]!;
    if (first === SLASH) return undefined;
    if (first === ASTERISK && this.targetEnd === this.targetStart + 1)
      return this.method === 'OPTIONS' ? undefined : refusals.target;
    const target = buffer.toString('latin1', this.targetStart, this.targetEnd);
    const absolute = splitAbsolute(target, this.method === 'OPTIONS');
    if (!absolute) return refusals.target;
    this.rewritten = absolute.path;
    return undefined;
  }

  #judgeConnect(buffer: Buffer): Refusal | undefined {
    const named = isHost(buffer, this.targetStart, this.targetEnd);
    const port = buffer.lastIndexOf(COLON, this.targetEnd - 1) > this.targetStart;
    if (!named || !port) return refusals.target;
    return this.allows.connect && this.minor === 1 ? undefined : refusals.method;
  }

  #interpretFields(buffer: Buffer): Refusal | undefined {
    const { fields, framing, connection } = this;
    framing.reset();
    connection.reset();
    this.hostStart = this.hostEnd = 0;
    this.expectsContinue = false;
    this.#upgradeAsked = '';
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind[i] === kinds.other) continue;
      const refusal = this.#interpretField(buffer, i);
      if (refusal) return refusal;
    }
    return framing.conclude();
  }

  #interpretField(buffer: Buffer, index: number): Refusal | undefined {
    const { fields } = this;
    const start = fields.valueStart[index]!;
    const end = fields.valueEnd[index]!;
    switch (fields.kind[index]) {
      case kinds.host:
        if (this.hostEnd !== 0 || !isHost(buffer, start, end)) return refusals.host;
        this.hostStart = start;
        this.hostEnd = end;
        return undefined;
      case kinds.connection:
        return this.connection.take(buffer, start, end);
      case kinds.expect:
        this.expectsContinue = equalsIgnoringCase(buffer, start, end, continueWord);
        return this.expectsContinue ? undefined : this.#weigh(refusals.expectation);
      case kinds.upgrade:
        this.#upgradeAsked = buffer.toString('latin1', start, end).toLowerCase();
        return undefined;
      default:
        return this.#weigh(this.framing.take(buffer, fields, index));
    }
  }

  #conclude(buffer: Buffer): Refusal | undefined {
    const { framing, minor } = this;
    if (minor === 1 ? this.hostEnd === 0 : framing.chunked)
      return minor === 1 ? refusals.host : refusals.transferEncoding;
    const unexpected = minor === 0 && framing.length > 0 && bodiless.has(this.method);
    if (unexpected && this.#weigh(refusals.unexpectedBody)) return refusals.unexpectedBody;
    // HTTP/1.0 knows no interim response.
    if (minor === 0 || !this.hasBody) this.expectsContinue = false;
    if (this.method === 'CONNECT') return this.#concludeConnect(buffer);
    this.upgrade = this.connection.upgrade && this.#mayUpgrade(buffer) ? this.#upgradeAsked : '';
    return this.rewritten === undefined || this.#sameHost(buffer) ? undefined : this.#weigh(refusals.targetHost);
  }

  /** After it there is no HTTP: a body would be taken for the first octets of the tunnel. */
  #concludeConnect(buffer: Buffer): Refusal | undefined {
    this.upgrade = '';
    if (this.framing.chunked || this.framing.length !== NO_LENGTH) return refusals.unexpectedBody;
    const target = buffer.toString('latin1', this.targetStart, this.targetEnd).toLowerCase();
    const host = buffer.toString('latin1', this.hostStart, this.hostEnd).toLowerCase();
    return target === host || target.startsWith(`${host}:`) ? undefined : refusals.targetHost;
  }

  #mayUpgrade(buffer: Buffer): boolean {
    if (!this.allows.upgrades.has(this.#upgradeAsked)) return false;
    if (this.minor === 0 || this.method !== 'GET' || this.hasBody) return false;
    return this.#upgradeAsked !== 'websocket' || this.#speaksVersion13(buffer);
  }

  /** What RFC 6455 describes. About another version the two ends agree by HTTP alone, without a tunnel. */
  #speaksVersion13(buffer: Buffer): boolean {
    const { fields } = this;
    let found = false;
    for (let i = 0; i < fields.count; i++) {
      if (!equalsIgnoringCase(buffer, fields.start[i]!, fields.nameEnd[i]!, versionName)) continue;
      if (found || !equalsIgnoringCase(buffer, fields.valueStart[i]!, fields.valueEnd[i]!, version13)) return false;
      found = true;
    }
    return found;
  }

  #sameHost(buffer: Buffer): boolean {
    if (this.hostEnd === 0) return true;
    const target = buffer.toString('latin1', this.targetStart, this.targetEnd);
    const host = buffer.toString('latin1', this.hostStart, this.hostEnd);
    return splitAbsolute(target, false)?.authority === withoutDefaultPort(host, schemeOf(target));
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return REFUSED;
  }
}

/** The method as a string; for the common ones without making it. */
function methodOf(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  const first = buffer[start];
  if (length === 3 && first === 0x47 && buffer[start + 1] === 0x45 && buffer[start + 2] === 0x54) return 'GET';
  return buffer.toString('latin1', start, end);
}
