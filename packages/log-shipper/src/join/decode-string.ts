// What is inside the quotes of a JSON string, to bytes.

import type { Tail } from './tail.ts';

const backslash = 0x5c;
/** What a letter behind a backslash stands for; 0 where it is none by itself. */
const simple = new Uint8Array(256);
for (const [letter, character] of ['n\n', 't\t', 'r\r', 'b\b', 'f\f', '""', '\\\\', '//'])
  simple[letter!.charCodeAt(0)] = character!.charCodeAt(0);

/** False for an escape that JSON does not know; then nothing was added. */
export function decodeString(bytes: Buffer, from: number, to: number, tail: Tail): boolean {
  // No escape is shorter than what it stands for.
  const { into, at: begin } = tail.room(to - from);
  let at = begin;
  for (let read = from; read < to; read++) {
    const byte = bytes[read]!;
    if (byte !== backslash) {
      into[at++] = byte;
      continue;
    }
    const letter = bytes[++read]!;
    const plain = simple[letter]!;
    if (plain !== 0) into[at++] = plain;
    else if (letter === 0x75) {
      let code = hex(bytes, read + 1, to);
      read += 4;
      if ((code & 0xfc00) === 0xd800 && bytes[read + 1] === backslash && bytes[read + 2] === 0x75) {
        const low = hex(bytes, read + 3, to);
        if ((low & 0xfc00) === 0xdc00) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          read += 6;
        }
      }
      if (code < 0) return false;
      at = writeCharacter(into, at, code);
    } else return false;
  }
  tail.advance(at - begin);
  return true;
}

/** Four digits, -1 where they are none. */
function hex(bytes: Buffer, at: number, to: number): number {
  if (at + 4 > to) return -1;
  let value = 0;
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index]!;
    const letter = (byte | 0x20) - 0x61;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : letter >= 0 && letter < 6 ? letter + 10 : Number.NaN;
    if (Number.isNaN(digit)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function writeCharacter(into: Buffer, start: number, code: number): number {
  let at = start;
  // Half of a character alone is none.
  const whole = (code & 0xfffff800) === 0xd800 ? 0xfffd : code;
  if (whole < 0x80) into[at++] = whole;
  else if (whole < 0x800) {
    into[at++] = 0xc0 | (whole >> 6);
    into[at++] = 0x80 | (whole & 0x3f);
  } else {
    if (whole < 0x10000) into[at++] = 0xe0 | (whole >> 12);
    else {
      into[at++] = 0xf0 | (whole >> 18);
      into[at++] = 0x80 | ((whole >> 12) & 0x3f);
    }
    into[at++] = 0x80 | ((whole >> 6) & 0x3f);
    into[at++] = 0x80 | (whole & 0x3f);
  }
  return at;
}
