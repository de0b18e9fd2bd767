// What lies at the beginning of a file and is no line: the mark of an encoding, or a hole. A writer that does not append
// goes on at its old position after its file was truncated: before its next line lie as many NULs as all that was there.

import { markLength, type Wanted, widthOf } from './encodings.ts';
import { readFully, readMuch } from './fingerprint.ts';

const zeros = Buffer.alloc(0x40000);

/** How many bytes it takes. */
export async function findHole(file: number, encoding: Wanted): Promise<number> {
  const head = Buffer.alloc(4);
  const start = head.subarray(0, readFully(file, head, 0));
  if (start[0] !== 0) return markLength(start, encoding);
  const length = await countZeros(file);
  // Half of a character may be a NUL.
  return encoding === 'auto' ? length : length - (length % widthOf(encoding));
}

async function countZeros(file: number): Promise<number> {
  const bytes = Buffer.allocUnsafe(zeros.length);
  for (let offset = 0; ; ) {
    const block = bytes.subarray(0, await readMuch(file, bytes, offset));
    if (block.length === 0) return offset;
    if (!block.equals(zeros.subarray(0, block.length))) return offset + block.findIndex((byte) => byte !== 0);
    offset += block.length;
  }
}
