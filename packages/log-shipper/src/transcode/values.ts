// Single values of a line: where they end, -1 if they are not what JSON has, and what the tape has of them.

import { escapeEnd } from './escapes.ts';
import { tokens } from './tape.ts';
import { firstSpecial } from './words.ts';

const { constant, integer, number } = tokens;

const quote = 0x22;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const backslash = 0x5c;

// Four letters as one number.
const isTrue = 0x65757274;
const isNull = 0x6c6c756e;
const isAlse = 0x65736c61;

export function noteConstant(bytes: Uint8Array, view: DataView, p: number, tape: Int32Array, t: number): number {
  if (p + 5 > bytes.length) return -1;
  const letters = view.getInt32(p, true);
  const isFalse = bytes[p] === 0x66 && view.getInt32(p + 1, true) === isAlse;
  if (!isFalse && letters !== isTrue && letters !== isNull) return -1;
  tape[t] = constant;
  tape[t + 1] = isFalse ? 0xc2 : letters === isTrue ? 0xc3 : 0xc0;
  return isFalse ? p + 5 : p + 4;
}

export function noteNumber(bytes: Uint8Array, start: number, tape: Int32Array, t: number): number {
  let p = bytes[start] === minus ? start + 1 : start;
  const digits = p;
  let value = 0;
  let byte = bytes[p]!;
  if (byte === zero) byte = bytes[++p]!;
  else {
    for (; byte >= zero && byte <= nine; byte = bytes[++p]!) value = (value * 10 + byte - zero) | 0;
    if (p === digits) return -1;
  }
  if (byte === dot || (byte | 0x20) === 0x65 || p - digits > 9) {
    p = fractionEnd(bytes, p);
    tape[t] = number;
    tape[t + 1] = start;
    tape[t + 2] = p;
    return p;
  }
  tape[t] = integer;
  tape[t + 1] = digits === start ? value : -value;
  return p;
}

/** Past a fraction and an exponent, as far as there are any. */
function fractionEnd(bytes: Uint8Array, start: number): number {
  const p = bytes[start] === dot ? digitsEnd(bytes, start + 1) : start;
  if (p === -1 || (bytes[p]! | 0x20) !== 0x65) return p;
  const signed = bytes[p + 1] === 0x2b || bytes[p + 1] === minus;
  return digitsEnd(bytes, p + (signed ? 2 : 1));
}

function digitsEnd(bytes: Uint8Array, start: number): number {
  let p = start;
  while (bytes[p]! >= zero && bytes[p]! <= nine) p++;
  return p === start ? -1 : p;
}

/** The quote that ends a text, from its first backslash on. */
export function textEnd(bytes: Uint8Array, view: DataView, start: number): number {
  let p = firstSpecial(bytes, view, start);
  while (bytes[p] === backslash) {
    p = escapeEnd(bytes, p + 1);
    if (p === -1) return -1;
    p = firstSpecial(bytes, view, p);
  }
  return bytes[p] === quote ? p : -1;
}
