// JSON strings out of bytes.

import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../byte-writer.ts';
import { firstSpecial } from '../transcode/words.ts';

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
  for (let p = start; p < end; p++) {
    const stop = Math.min(firstSpecial(bytes, view, p), end);
    if (stop > p) into.copy(bytes, p, stop);
    p = stop;
    if (p < end) writeEscape(into, bytes[p]!);
  }
  into.byte(quote);
}

function writeEscape(into: ByteWriter, byte: number): void {
  const bytes = into.reserve(6);
  let { at } = into;
  bytes[at++] = backslash;
  const letter = letters[byte]!;
  if (letter !== 0) bytes[at++] = letter;
  else {
    bytes[at++] = 0x75;
    bytes[at++] = 0x30;
    bytes[at++] = 0x30;
    bytes[at++] = hex[byte >> 4]!;
    bytes[at++] = hex[byte & 0x0f]!;
  }
  into.at = at;
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
