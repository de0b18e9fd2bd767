// The field lines of a head: checked octet by octet, remembered as ranges of the buffer they arrived in.

import { kindOf } from './field-kind.ts';
import { COLON, CR, fieldOctet, HTAB, LF, SP, token } from './octets.ts';
import { type Refusal, refusals } from './refusal.ts';

/** The head has not arrived whole. */
export const MORE = 0;
/** The head is refused; `refusal` says why. */
export const REFUSED = -1;

/** How far a buffer is filled, and how long a head may be. */
export type Bounds = { readonly end: number; readonly most: number };

const mostFields = 100;

/**
 * The outcome depends on the octets alone, never on how they were cut into packets: a refusal comes at the first octet
 * that proves it, and until then the answer is MORE.
 */
export class Fields {
  count = 0;
  refusal: Refusal | undefined;
  /** Start of each field line, which is the start of its name. */
  readonly start = new Int32Array(mostFields);
  readonly nameEnd = new Int32Array(mostFields);
  readonly valueStart = new Int32Array(mostFields);
  readonly valueEnd = new Int32Array(mostFields);
  /** After the line's CRLF. */
  readonly end = new Int32Array(mostFields);
  readonly kind = new Uint8Array(mostFields);

  /** Reads lines up to and with the empty one; returns the offset after it, MORE or REFUSED. */
  read(buffer: Uint8Array, from: number, limit: number): number {
    this.count = 0;
    let at = from;
    for (;;) {
      if (at >= limit) return MORE;
      const first = buffer[at]!;
      if (first === CR) {
        if (at + 1 >= limit) return MORE;
        return buffer[at + 1] === LF ? at + 2 : this.#refuse(refusals.bareCarriageReturn);
      }
      at = this.#readLine(buffer, at, limit);
      if (at <= 0) return at;
    }
  }

  #readLine(buffer: Uint8Array, start: number, limit: number): number {
    let at = start;
    while (at < limit && token[buffer[at]!] === 1) at++;
    if (at >= limit) return MORE;
    if (buffer[at] !== COLON || at === start) return this.#refuse(nameRefusal(buffer[at]!, at === start));
    const nameEnd = at++;
    while (at < limit && (buffer[at] === SP || buffer[at] === HTAB)) at++;
    const valueStart = at;
    while (at < limit && fieldOctet[buffer[at]!] === 1) at++;
    if (at >= limit) return MORE;
    if (buffer[at] !== CR) return this.#refuse(buffer[at] === LF ? refusals.bareLineFeed : refusals.fieldValue);
    if (at + 1 >= limit) return MORE;
    if (buffer[at + 1] !== LF) return this.#refuse(refusals.bareCarriageReturn);
    let valueEnd = at;
    while (valueEnd > valueStart && (buffer[valueEnd - 1] === SP || buffer[valueEnd - 1] === HTAB)) valueEnd--;
    const index = this.count;
    if (index === mostFields) return this.#refuse(refusals.fieldCount);
    this.start[index] = start;
    this.nameEnd[index] = nameEnd;
    this.valueStart[index] = valueStart;
    this.valueEnd[index] = valueEnd;
    this.end[index] = at + 2;
    this.kind[index] = kindOf(buffer, start, nameEnd);
    this.count = index + 1;
    return at + 2;
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return REFUSED;
  }
}

function nameRefusal(octet: number, first: boolean): Refusal {
  if (octet === LF) return refusals.bareLineFeed;
  if (first && (octet === SP || octet === HTAB)) return refusals.folding;
  return refusals.fieldName;
}
