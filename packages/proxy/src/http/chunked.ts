// The chunked coding, undone octet by octet. Extensions and trailers are checked and dropped: nobody behind us shall
// disagree about them.

import { kinds } from './field-kind.ts';
import { Fields } from './fields.ts';
import { Fragments } from './fragments.ts';
import { CR, fieldOctet, hexValue, LF, SEMICOLON, token } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

const mostExtension = 4096;
const mostTrailer = 8192;
// 2^48: far beyond any body, and sizes stay exact.
const mostDigits = 12;

const state = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailer: 6, done: 7 } as const;

/** How far a chunk extension has come. */
const parts = { start: 0, name: 1, equals: 2, value: 3, quoted: 4, escaped: 5, closed: 6, bad: 7 } as const;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Checks the trailers of whoever ends; reading is synchronous, so one is enough. */
const trailers = new Fields();

const onlyInHeads = (1 << kinds.contentLength) | (1 << kinds.transferEncoding) | (1 << kinds.connection);

/** Framing and fate of the connection, said again in trailers: RFC 9110 6.5.1 forbids it, and some readers believe it. */
function framesAgain(): boolean {
  for (let i = 0; i < trailers.count; i++) if (((onlyInHeads >> trailers.kind[i]!) & 1) !== 0) return true;
  return false;
}

export class Chunked {
  #state: number = state.size;
  #remaining = 0;
  #digits = 0;
  #extension = 0;
  #part: number = parts.start;
  #trailer: Fragments | undefined;
  refusal: Refusal | undefined;

  get done(): boolean {
    return this.#state === state.done;
  }

  /**
   * Reads buffer[from, end), appends the ranges that are data to `pieces` (start, end, start, end ...) and returns the
   * offset it got to: before `end` only when the body is done. -1 when it is refused.
   */
  read(buffer: Buffer, from: number, end: number, pieces: number[]): number {
    let at = from;
    while (at < end && this.#state !== state.done) {
      at = this.#state === state.data ? this.#readData(at, end, pieces) : this.#readFrame(buffer, at, end);
      if (at < 0) return -1;
    }
    return at;
  }

  #readData(at: number, end: number, pieces: number[]): number {
    const stop = Math.min(end, at + this.#remaining);
    pieces.push(at, stop);
    this.#remaining -= stop - at;
    if (this.#remaining === 0) this.#state = state.dataCr;
    return stop;
  }

  #readFrame(buffer: Buffer, at: number, end: number): number {
    const octet = buffer[at]!;
    switch (this.#state) {
      case state.size:
        return this.#readSize(octet) ? at + 1 : this.#refuse(this.refusal ?? refusals.chunk);
      case state.extension:
        return this.#readExtension(octet) ? at + 1 : this.#refuse(this.refusal ?? refusals.chunk);
      case state.sizeLf:
        if (octet !== LF) return this.#refuse(refusals.chunk);
        this.#state = this.#remaining === 0 ? state.trailer : state.data;
        return at + 1;
      case state.dataCr:
        if (octet !== CR) return this.#refuse(refusals.chunk);
        this.#state = state.dataLf;
        return at + 1;
      case state.dataLf:
        if (octet !== LF) return this.#refuse(refusals.chunk);
        this.#state = state.size;
        this.#digits = 0;
        return at + 1;
      default:
        return this.#readTrailer(buffer, at, end);
    }
  }

  #readSize(octet: number): boolean {
    const digit = hexValue[octet]!;
    if (digit !== 255) {
      if (++this.#digits > mostDigits) return false;
      this.#remaining = this.#remaining * 16 + digit;
      return true;
    }
    if (this.#digits === 0) return false;
    if (octet === CR) this.#state = state.sizeLf;
    else if (octet === SEMICOLON) {
      this.#state = state.extension;
      this.#part = parts.start;
    } else return false;
    return true;
  }

  /** `;name`, `;name=token` or `;name="quoted string"`, as many as there are, without white space between. */
  #readExtension(octet: number): boolean {
    const part = this.#part;
    const whole = part === parts.name || part === parts.value || part === parts.closed;
    if (whole && octet === CR) this.#state = state.sizeLf;
    else if (whole && octet === SEMICOLON) this.#part = parts.start;
    else this.#part = nextPart(part, octet);
    if (++this.#extension > mostExtension) this.refusal = refusals.chunkExtension;
    return this.#part !== parts.bad && this.refusal === undefined;
  }

  #readTrailer(buffer: Buffer, at: number, end: number): number {
    const arrived = buffer.subarray(at, end);
    // The buffer may be read into again.
    const section = this.#trailer ? this.#trailer.add(Buffer.from(arrived), mostTrailer) : arrived;
    if (!section) return end;
    const stop = trailers.read(section, 0, Math.min(section.length, mostTrailer));
    if (stop < 0) return this.#refuse(trailers.refusal!);
    if (stop > 0) {
      if (framesAgain()) return this.#refuse(refusals.trailer);
      this.#state = state.done;
      return end - (section.length - stop);
    }
    if (section.length >= mostTrailer) return this.#refuse(refusals.trailerLength);
    this.#trailer = new Fragments(Buffer.from(section));
    return end;
  }

  #refuse(refusal: Refusal): -1 {
    this.refusal = refusal;
    return -1;
  }
}

function nextPart(part: number, octet: number): number {
  switch (part) {
    case parts.start:
    case parts.name:
      if (part === parts.name && octet === EQUALS) return parts.equals;
      return token[octet] === 1 ? parts.name : parts.bad;
    case parts.equals:
      if (octet === QUOTE) return parts.quoted;
      return token[octet] === 1 ? parts.value : parts.bad;
    case parts.value:
      return token[octet] === 1 ? parts.value : parts.bad;
    case parts.quoted:
      if (octet === QUOTE) return parts.closed;
      if (octet === BACKSLASH) return parts.escaped;
      return fieldOctet[octet] === 1 ? parts.quoted : parts.bad;
    case parts.escaped:
      return fieldOctet[octet] === 1 ? parts.quoted : parts.bad;
    default:
      return parts.bad;
  }
}

const hexDigits = Buffer.from('0123456789abcdef');

/** Writes `size` in hexadecimal and CRLF at `at`, returns the offset after them. */
export function writeChunkSize(out: Buffer, at: number, size: number): number {
  let digits = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 16)) digits++;
  for (let i = digits - 1, rest = size; i >= 0; i--, rest = Math.floor(rest / 16)) out[at + i] = hexDigits[rest % 16]!;
  out[at + digits] = CR;
  out[at + digits + 1] = LF;
  return at + digits + 2;
}
