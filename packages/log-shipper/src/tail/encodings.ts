// What the bytes of a file are. Everything behind the source sees UTF-8; positions stay offsets in the file, so it must be
// known how many bytes of the file a piece of decoded text stands for.

export const encodings = ['auto', 'utf-8', 'utf-16le', 'utf-16be', 'latin1'] as const;

/** `auto`: as the mark at the beginning says, UTF-8 without one. */
export type Wanted = (typeof encodings)[number];

export type Encoding = Exclude<Wanted, 'auto'>;

type Mark = { readonly encoding: Encoding; readonly bytes: Buffer };

const marks: readonly Mark[] = [
  { encoding: 'utf-8', bytes: Buffer.from([0xef, 0xbb, 0xbf]) },
  { encoding: 'utf-16le', bytes: Buffer.from([0xff, 0xfe]) },
  { encoding: 'utf-16be', bytes: Buffer.from([0xfe, 0xff]) },
];

const markOf = (head: Buffer, wanted: Wanted): Mark | undefined =>
  marks.find(
    ({ encoding, bytes }) => (wanted === 'auto' || wanted === encoding) && head.subarray(0, bytes.length).equals(bytes),
  );

/** @param head the first bytes of the file. */
export const encodingOf = (head: Buffer, wanted: Wanted): Encoding =>
  wanted === 'auto' ? (markOf(head, wanted)?.encoding ?? 'utf-8') : wanted;

/** How many bytes the mark of an encoding takes. */
export const markLength = (head: Buffer, wanted: Wanted): number => markOf(head, wanted)?.bytes.length ?? 0;

/** How many bytes of a file hold what one byte of UTF-8 holds at most: a window of text needs so many windows of the file. */
export const widthOf = (encoding: Encoding): number => (encoding.startsWith('utf-16') ? 2 : 1);

/** As UTF-8. Half a character at the end is left out: it comes again with its other half. */
export function decode(bytes: Buffer, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return bytes;
  if (encoding === 'latin1') return Buffer.from(bytes.toString('latin1'));
  let end = bytes.length - (bytes.length % 2);
  const at = encoding === 'utf-16le' ? 1 : 0;
  if (end >= 2 && (bytes[end - 2 + at]! & 0xfc) === 0xd8) end -= 2;
  const whole = bytes.subarray(0, end);
  return Buffer.from((encoding === 'utf-16le' ? whole : Buffer.from(whole).swap16()).toString('utf16le'));
}

/** How many bytes of the file the first bytes of decoded text stand for. */
export function encodedLength(text: Buffer, length: number, encoding: Encoding): number {
  if (encoding === 'utf-8') return length;
  let units = 0;
  for (let at = 0; at < length; at++) {
    const byte = text[at]!;
    // Only the first byte of a character counts; one of four bytes takes two units of UTF-16.
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 && encoding !== 'latin1' ? 2 : 1;
  }
  return units * widthOf(encoding);
}
