// The head of the application's response, read as strictly as a request: what we misread would become the next client's
// answer.

import { ConnectionOptions } from './connection-field.ts';
import { kinds } from './field-kind.ts';
import { type Bounds, Fields, MORE, REFUSED } from './fields.ts';
import { Framing } from './framing.ts';
import { CR, fieldOctet, LF, SP } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

const version = Buffer.from('HTTP/1.');

export class ResponseHead {
  readonly fields = new Fields();
  readonly framing = new Framing();
  readonly connection = new ConnectionOptions();
  refusal: Refusal | undefined;
  minor = 1;
  status = 0;
  /** For how long the connection stays, as `Keep-Alive: timeout=` says; undefined when it says nothing. */
  keepAliveSeconds: number | undefined;
  /** Where the status code starts; the line goes on to lineEnd. */
  statusStart = 0;
  lineEnd = 0;

  /** 1xx, but not the 101 that ends HTTP on this connection. */
  get isInterim(): boolean {
    return this.status < 200 && this.status !== 101;
  }

  get keepsAlive(): boolean {
    return this.minor === 1 ? !this.connection.close : this.connection.keepAlive && !this.connection.close;
  }

  /** Reads a head that starts at `from`; returns the offset after it, MORE or REFUSED. */
  read(buffer: Buffer, from: number, { end, most }: Bounds): number {
    this.refusal = undefined;
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
    const refusal = this.#interpret(buffer);
    return refusal ? this.#refuse(refusal) : end;
  }

  /** HTTP/1.x SP status [SP reason] CRLF */
  #readLine(buffer: Buffer, from: number, limit: number): number {
    for (let i = 0; i < version.length; i++) {
      if (from + i >= limit) return MORE;
      if (buffer[from + i] !== version[i]) return this.#refuse(refusals.statusLine);
    }
    const code = from + version.length + 2;
    if (code + 3 >= limit) return MORE;
    this.minor = buffer[code - 2]! - 0x30;
    if ((this.minor !== 0 && this.minor !== 1) || buffer[code - 1] !== SP) return this.#refuse(refusals.statusLine);
    this.status = statusOf(buffer, code);
    this.statusStart = code;
    if (this.status === 0) return this.#refuse(refusals.statusLine);
    let at = code + 3;
    // Old servers leave out the reason, and some the space before it.
    if (buffer[at] !== SP && buffer[at] !== CR) return this.#refuse(refusals.statusLine);
    while (at < limit && fieldOctet[buffer[at]!] === 1) at++;
    if (at >= limit) return MORE;
    if (buffer[at] !== CR) return this.#refuse(buffer[at] === LF ? refusals.bareLineFeed : refusals.statusLine);
    if (at + 1 >= limit) return MORE;
    if (buffer[at + 1] !== LF) return this.#refuse(refusals.bareCarriageReturn);
    this.lineEnd = at + 2;
    return this.lineEnd;
  }

  #interpret(buffer: Buffer): Refusal | undefined {
    const { fields, framing, connection } = this;
    framing.reset();
    connection.reset();
    this.keepAliveSeconds = undefined;
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind[i]!;
      if (kind === kinds.connection) {
        const refusal = connection.take(buffer, fields.valueStart[i]!, fields.valueEnd[i]!);
        if (refusal) return refusal;
      } else if (kind === kinds.contentLength || kind === kinds.transferEncoding) {
        const refusal = framing.take(buffer, fields, i);
        if (refusal) return refusal;
      } else if (kind === kinds.keepAlive)
        this.keepAliveSeconds = timeoutOf(buffer.toString('latin1', fields.valueStart[i]!, fields.valueEnd[i]!));
    }
    if (this.minor === 0 && framing.chunked) return refusals.transferEncoding;
    return framing.conclude();
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return REFUSED;
  }
}

/** Three digits from 100 to 599, or 0. */
function statusOf(buffer: Buffer, at: number): number {
  const hundreds = buffer[at]! - 0x30;
  const tens = buffer[at + 1]! - 0x30;
  const ones = buffer[at + 2]! - 0x30;
  const digits = hundreds >= 1 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  return digits ? hundreds * 100 + tens * 10 + ones : 0;
}

/** `timeout=5, max=100` */
function timeoutOf(value: string): number | undefined {
  const match = /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,6})/i.exec(value);
  return match ? Number(match[1]) : undefined;
}
