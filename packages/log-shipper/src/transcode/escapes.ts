// JSON's escapes, both ways, on bytes.

import { putTextHeader } from '../encoding/msgpack-values.ts';

const backslash = 0x5c;

/** What a letter behind a backslash stands for. */
const meanings = new Uint8Array(128);
for (const [letter, meaning] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 }))
  meanings[letter.charCodeAt(0)] = meaning;
for (const itself of '"\\/') meanings[itself.charCodeAt(0)] = itself.charCodeAt(0);

/** Where an escape ends whose letter is at a place; -1 if there is none such. */
export function escapeEnd(bytes: Uint8Array, at: number): number {
  const letter = bytes[at]!;
  if (letter !== 0x75) return letter < 128 && meanings[letter] !== 0 ? at + 1 : -1;
  for (let p = at + 1; p < at + 5; p++) {
    const byte = bytes[p]!;
    const isHex = (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
    if (!isHex) return -1;
  }
  return at + 5;
}

/** A text that was scanned, as MessagePack and without its escapes. There must be room for it as it is. */
export function putUnescaped(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  // No escape is shorter than what it stands for: a header for the text as it is has room for the length that it will have.
  const text = putTextHeader(out, at, end - start);
  const stop = putPlain(bytes, start, end, out, text);
  const length = stop - text;
  if (text - at === 1) out[at] = 0xa0 | length;
  else if (text - at === 2) out[at + 1] = length;
  else if (text - at === 3) out.writeUInt16BE(length, at + 1);
  else out.writeUInt32BE(length, at + 1);
  return stop;
}

function putPlain(bytes: Buffer, start: number, end: number, out: Buffer, begin: number): number {
  let at = begin;
  for (let p = start; p < end; ) {
    const byte = bytes[p++]!;
    if (byte !== backslash) {
      out[at++] = byte;
      continue;
    }
    const letter = bytes[p++]!;
    if (letter !== 0x75) {
      out[at++] = meanings[letter]!;
      continue;
    }
    let code = unit(bytes, p);
    p += 4;
    if (code >= 0xd800 && code < 0xdc00 && bytes[p] === backslash && bytes[p + 1] === 0x75) {
      const second = unit(bytes, p + 2);
      if (second >= 0xdc00 && second < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
        p += 6;
      }
    }
    at = putCharacter(out, at, code);
  }
  return at;
}

/** The four hexadecimal digits at a place, checked already. */
function unit(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let p = at; p < at + 4; p++) {
    const byte = bytes[p]!;
    value = (value << 4) | ((byte & 0x0f) + (byte > 0x39 ? 9 : 0));
  }
  return value;
}

function putCharacter(out: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 0x3f);
    return at + 2;
  }
  if (code < 0x10000) {
    // Half of a surrogate pair has no UTF-8: U+FFFD, as decoders put it.
    const character = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
    out[at] = 0xe0 | (character >> 12);
    out[at + 1] = 0x80 | ((character >> 6) & 0x3f);
    out[at + 2] = 0x80 | (character & 0x3f);
    return at + 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f);
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f);
  out[at + 3] = 0x80 | (code & 0x3f);
  return at + 4;
}
