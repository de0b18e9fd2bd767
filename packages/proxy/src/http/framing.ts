// How long a body is, said by the head: Content-Length or Transfer-Encoding, never both, never a guess.

import { kinds } from './field-kind.ts';
import type { Fields } from './fields.ts';
import { equalsIgnoringCase } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

/** No Content-Length field. */
export const NO_LENGTH = -1;

const chunkedWord = Buffer.from('chunked');

/** What the framing fields of one head say. */
export class Framing {
  /** NO_LENGTH without Content-Length. */
  length = NO_LENGTH;
  chunked = false;
  /** Content-Length is written as we would write it, so its line may be forwarded as it came. */
  canonical = true;
  #transferEncodings = 0;

  reset(): void {
    this.length = NO_LENGTH;
    this.chunked = false;
    this.canonical = true;
    this.#transferEncodings = 0;
  }

  /** Takes field `index` if it is about framing. */
  take(buffer: Uint8Array, fields: Fields, index: number): Refusal | undefined {
    const start = fields.valueStart[index]!;
    const end = fields.valueEnd[index]!;
    if (fields.kind[index] === kinds.contentLength) return this.#takeLength(buffer, start, end);
    if (fields.kind[index] === kinds.transferEncoding) return this.#takeEncoding(buffer, start, end);
    return undefined;
  }

  #takeLength(buffer: Uint8Array, start: number, end: number): Refusal | undefined {
    const length = digits(buffer, start, end);
    if (length < 0) return refusals.contentLength;
    if (this.length !== NO_LENGTH) {
      // Even an equal repetition is refused: whoever sends two is confused or probing.
      this.canonical = false;
      return length === this.length ? refusals.repeatedLength : refusals.contentLength;
    }
    this.length = length;
    this.canonical = end - start === 1 || buffer[start] !== 0x30;
    return undefined;
  }

  #takeEncoding(buffer: Uint8Array, start: number, end: number): Refusal | undefined {
    if (this.#transferEncodings++ > 0) return refusals.transferEncoding;
    if (!equalsIgnoringCase(buffer, start, end, chunkedWord)) return unknownCodings(buffer, start, end);
    this.chunked = true;
    return undefined;
  }

  /** After all fields. */
  conclude(): Refusal | undefined {
    return this.chunked && this.length !== NO_LENGTH ? refusals.ambiguousLength : undefined;
  }
}

/** A whole number up to 2^53 - 1 in buffer[start, end), or -1. */
export function digits(buffer: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = buffer[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
    if (value > Number.MAX_SAFE_INTEGER) return -1;
  }
  return value;
}

// Codings we cannot undo are the application's wish only when chunked frames them; anything else has no known end.
function unknownCodings(buffer: Uint8Array, start: number, end: number): Refusal {
  const codings = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start)
    .toString('latin1')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  const last = codings.pop();
  const framed = last === 'chunked' && codings.length > 0;
  const known = codings.every(
    (coding) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(coding) && !/^(chunked|identity)$/.test(coding),
  );
  return framed && known ? refusals.transferCoding : refusals.transferEncoding;
}
