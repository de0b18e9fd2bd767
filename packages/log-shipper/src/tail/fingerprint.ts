// Is this still the file, and still the content, that a position belongs to? Device and inode cannot tell: inodes are
// reused, and a truncated file may have grown past the old position by the time anybody looks.

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { beginning, type Place } from '../ledger.ts';

/** How many bytes at the head of the file and before the position are looked at. */
export const reach = 512;

/** @param head the first bytes of the file, @param tail those just before the position; both at most `reach` long. */
export function fingerprint(head: Uint8Array, tail: Uint8Array): string {
  return createHash('sha256').update(head).update(tail).digest('base64url').slice(0, 22);
}

/** As many bytes as there are: a read may be cut short by a signal or the file's end. */
export async function readFully(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const { bytesRead } = await file.read(into, length, into.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

/** The place at an offset of a file. Where the file is shorter, it is the place of no file. */
export async function placeAt(file: FileHandle, offset: number): Promise<Place> {
  if (offset === 0) return beginning;
  const length = Math.min(reach, offset);
  const [head, tail] = [Buffer.alloc(length), Buffer.alloc(length)];
  if ((await readFully(file, tail, offset - length)) < length) return { offset, print: '' };
  await readFully(file, head, 0);
  return { offset, print: fingerprint(head, tail) };
}
