// Is this still the file, and still the content, that a position belongs to? Device and inode cannot tell: inodes are
// reused, and a truncated file may have grown past the old position by the time anybody looks.

import { hash } from 'node:crypto';
import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { beginning, type Place } from '../ledger.ts';

/** How many bytes at the head of the file and before the position are looked at. */
export const reach = 512;

// Hashing one piece costs a third of feeding a hash with two.
const joined = Buffer.alloc(2 * reach);

/** @param head the first bytes of the file, @param tail those just before the position; both at most `reach` long. */
export function fingerprint(head: Buffer, tail: Buffer): string {
  head.copy(joined);
  tail.copy(joined, head.length);
  return hash('sha256', joined.subarray(0, head.length + tail.length), 'base64url').slice(0, 22);
}

/** As many bytes as there are: a read may be cut short by a signal or the file's end. */
export function readFully(file: number, into: Buffer, position: number): number {
  let length = 0;
  while (length < into.length) {
    const bytesRead = readSync(file, into, length, into.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

// What an application has just written lies in the page cache: reading it takes some microseconds, handing it to another
// thread forty. More than this may have to come from a disk, or a server, for which nobody should wait.
const readAtOnce = 0x10000;

const readBeside = promisify(read);

/** As `readFully`, without holding up everything else while a disk is slow. */
export async function readMuch(file: number, into: Buffer, position: number): Promise<number> {
  if (into.length <= readAtOnce) return readFully(file, into, position);
  let length = 0;
  while (length < into.length) {
    const { bytesRead } = await readBeside(file, into, length, into.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

const [headBytes, tailBytes] = [Buffer.alloc(reach), Buffer.alloc(reach)];

/** The place at an offset of a file. Where the file is shorter, it is the place of no file. */
export function placeAt(file: number, offset: number): Place {
  if (offset === 0) return beginning;
  const length = Math.min(reach, offset);
  const [head, tail] = [headBytes.subarray(0, length), tailBytes.subarray(0, length)];
  if (readFully(file, tail, offset - length) < length) return { offset, print: '' };
  readFully(file, head, 0);
  return { offset, print: fingerprint(head, tail) };
}

/** A place near the beginning, by which content is known of which nothing has been read yet. */
export function headOf(file: number): Place {
  const head = headBytes.subarray(0, readFully(file, headBytes, 0));
  return { offset: head.length, print: fingerprint(head, head) };
}
