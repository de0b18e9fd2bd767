// JSON strings out of bytes.

import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../byte-writer.ts';
import { specials } from '../transcode/words.ts';

const quote = 0x22;
const backslash = 0x5c;
const hex = Buffer.from('0123456789abcdef');
/** Letters of the escapes that have one. */
const letters = new Uint8Array(128);
for (const [letter, code] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13, '"': 0x22, '\\': 0x5c }))
  letters[code] = letter.charCodeAt(0);

/** Bytes as a JSON string, with its quotes, as JSON.stringify has it. What is not UTF-8 becomes U+FFFD. */
export function writeJsonString(into: ByteWriter, bytes: Buffer, start = 0, end = bytes.length): void {
  const line = bytes.subarray(start, end);
  if (isUtf8(line)) writeSoundString(into, bytes, start, end);
  else into.text(JSON.stringify(line.toString()));
}

/** The same of bytes that are known to be UTF-8. */
export function writeSoundString(into: ByteWriter, bytes: Buffer, start: number, end: number): void {
  const view = viewOf(bytes);
  into.byte(quote);
  // Piece by piece, since no piece of a line could be promised less room than six times its own.
  for (let p = start; p < end; p += pieceLength) writePiece(into, bytes, view, p, Math.min(p + pieceLength, end));
  into.byte(quote);
}

const pieceLength = 4096;

function writePiece(into: ByteWriter, bytes: Buffer, view: DataView, start: number, end: number): void {
  const out = into.reserve(6 * (end - start) + 4);
  const room = into.view;
  const stop = bytes.length - 4;
  let { at } = into;
  let p = start;
  while (p < end) {
    if (p <= stop) {
      // Written before it is known how much of it is plain: what comes next is written over the rest.
      const word = view.getInt32(p, true);
      room.setInt32(at, word, true);
      const found = specials(word);
      const plain = found === 0 ? 4 : (31 - Math.clz32(found & -found)) >> 3;
      at += plain;
      p += plain;
      if (found === 0) continue;
      if (p >= end) break;
    }
    const byte = bytes[p++]!;
    if (byte < 0x20 || byte === quote || byte === backslash) at = putEscape(out, at, byte);
    else out[at++] = byte;
  }
  // A word may have reached behind the end.
  into.at = at - (p - end);
}

function putEscape(out: Uint8Array, start: number, byte: number): number {
  let at = start;
  out[at++] = backslash;
  const letter = letters[byte]!;
  if (letter !== 0) {
    out[at] = letter;
    return at + 1;
  }
  out[at++] = 0x75;
  out[at++] = 0x30;
  out[at++] = 0x30;
  out[at++] = hex[byte >> 4]!;
  out[at++] = hex[byte & 0x0f]!;
  return at;
}

let viewed = Buffer.alloc(0);
let view = new DataView(viewed.buffer, 0, 0);

/** Of the buffer that was asked about last, as nearly all lines are of one. */
function viewOf(bytes: Buffer): DataView {
  if (bytes !== viewed) {
    viewed = bytes as typeof viewed;
    view = new DataView(viewed.buffer, bytes.byteOffset, bytes.length);
  }
  return view;
}
