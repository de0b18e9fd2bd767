// The lines that the producer writes and the judge expects: made of the seed, the file and the number, so that nobody has to
// keep them. Each says at its beginning which one it is; only an empty one does not, and it has no other beside it.

import { between, choose, type Random, seeded } from '@outrigger/core/testing';

export type Script = {
  readonly seed: number;
  /** The shipper's --line-limit: some lines go beyond it. */
  readonly limit: number;
};

const kinds = { text: 44, json: 34, 'multi-byte': 8, invalid: 5, nul: 3, 'carriage return': 3, long: 0.6 };

/** Without its newline. */
export function lineOf({ seed, limit }: Script, file: number, n: number): Buffer {
  const random = seeded(seed, file, n);
  if (n % 7 === 3 && random() < 0.3) return Buffer.alloc(0);
  const head = `${file}:${n}:`;
  // Only the long ones go beyond the limit: each piece of theirs says where it is from.
  const length = random() < 0.02 ? between(random, 1000, Math.min(3000, limit - 128)) : between(random, 0, 220);
  switch (choose(random, kinds)) {
    case 'text':
      return Buffer.from(head + words(random, length));
    case 'json':
      return Buffer.from(object(random, { file, n, length }));
    case 'multi-byte':
      return Buffer.from(head + characters(random, length / 3));
    case 'invalid':
      return Buffer.concat([Buffer.from(head), bytes(random, length, 0x70, 0xff)]);
    case 'nul':
      return Buffer.concat([Buffer.from(head), bytes(random, length, 0, 3)]);
    case 'carriage return':
      return Buffer.from(`${head}${words(random, length)}\r`);
    case 'long':
      return long(random, { head, limit });
  }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,:;-_/"\\\t{}[]';

function words(random: Random, length: number): string {
  const start = between(random, 0, alphabet.length - 1);
  const word = alphabet.slice(start) + Math.floor(random() * 2 ** 32).toString(36);
  return word.repeat(Math.ceil(length / word.length)).slice(0, length);
}

// Without U+FEFF: the library of the Forward receiver drops it where a text begins with it.
const beyondAscii = ['\u00e9', '\u00df', '\u20ac', '\u4e16', '\u{1f600}', '\u0301', '\u200b', '\u2028'];

function characters(random: Random, count: number): string {
  let text = '';
  for (let at = 0; at < count; at++) text += beyondAscii[Math.floor(random() * beyondAscii.length)];
  return text;
}

/** Never a newline. */
function bytes(random: Random, length: number, least: number, most: number): Buffer {
  const made = Buffer.alloc(length);
  for (let at = 0; at < length; at++) made[at] = between(random, least, most);
  return made;
}

/** What JSON.stringify gives for what JSON.parse makes of it: an object that was parsed can be compared as text. */
function object(random: Random, { file, n, length }: { file: number; n: number; length: number }): string {
  const nested = random() < 0.2 && { nested: { list: [1, -2.5, null, true, characters(random, 3)], empty: {} } };
  return JSON.stringify({
    f: file,
    n,
    level: random() < 0.1 ? 'error' : 'info',
    message: random() < 0.1 ? characters(random, length / 3) : words(random, length),
    took: Math.round(random() * 1e6) / 1000,
    ...nested,
  });
}

/** One to three times the limit. Each piece of it is like no other, and the last of them not too short for that. */
function long(random: Random, { head, limit }: { head: string; limit: number }): Buffer {
  const wanted = between(random, limit + 64, 3 * limit);
  const parts = [head];
  const name = head.replaceAll(':', '.');
  for (let length = head.length; length < wanted; ) {
    const part = `<${name}${length}>${random() < 0.5 ? '' : characters(random, 4)}`;
    parts.push(part);
    length += Buffer.byteLength(part);
  }
  const line = Buffer.from(parts.join(''));
  const last = piecesOf(line, limit).at(-1)!;
  return last.length >= 48 ? line : Buffer.concat([line, Buffer.from(`<${name}end${'='.repeat(64)}>`)]);
}

/** As the README says: in pieces between two characters. */
export function piecesOf(line: Buffer, limit: number): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  while (line.length - start > limit) {
    let end = start + limit;
    for (let back = 0; back < 4; back++)
      if ((line[end - back]! & 0xc0) !== 0x80) {
        end -= back;
        break;
      }
    pieces.push(line.subarray(start, end));
    start = end;
  }
  pieces.push(line.subarray(start));
  return pieces;
}

/** Where a line that is written in two goes is cut: behind what says which line it is. */
export function middleOf(line: Buffer): number {
  let at = Math.ceil(line.length / 2) + 12;
  while (at < line.length && (line[at]! & 0xc0) === 0x80) at++;
  return Math.min(at, line.length);
}
