// Bytes to text. A byte order mark wins over the HTTP charset, which wins over the XML declaration.

import { errors } from './errors.ts';

/** What had to be mended to read the document; counted, never silent. */
export type Repair = 'invalid_bytes' | 'wrong_encoding';

export type Text = { readonly text: string; readonly repairs: readonly Repair[] };

const boms: readonly (readonly [label: string, bytes: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16be', [0xfe, 0xff]],
  ['utf-16le', [0xff, 0xfe]],
  // No mark, but "<" in two bytes (XML 1.0, appendix F).
  ['utf-16be', [0x00, 0x3c]],
  ['utf-16le', [0x3c, 0x00]],
];

export function decodeText(bytes: Uint8Array, charset?: string): Text {
  const marked = boms.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0];
  const label = marked ?? charset ?? declaredEncoding(bytes) ?? 'utf-8';
  // Whoever could read this far one byte at a time is not reading UTF-16, whatever the document says.
  const wrong = marked === undefined && /^(utf-?16|ucs-?2|unicode$|iso-10646-ucs-2)/i.test(label);
  const { text, invalid } = decodeAs(bytes, wrong ? 'utf-8' : label);
  const repairs: Repair[] = [];
  if (wrong) repairs.push('wrong_encoding');
  if (invalid) repairs.push('invalid_bytes');
  return { text, repairs };
}

function decodeAs(bytes: Uint8Array, label: string): { text: string; invalid: boolean } {
  try {
    return { text: new TextDecoder(label, { fatal: true }).decode(bytes), invalid: false };
  } catch (error) {
    if (error instanceof RangeError) throw errors.ADAPTER_DOCUMENT_ENCODING({ encoding: `"${label}"` }, error);
    // One bad byte in one name must not hide every number: U+FFFD stands for it.
    return { text: new TextDecoder(label).decode(bytes), invalid: true };
  }
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 400)).toString('latin1');
  return /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(head)?.[1];
}
