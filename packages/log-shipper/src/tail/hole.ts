// What lies at the beginning of a file and is no line. A writer that does not append goes on at its old position after its
// file was truncated: before its next line lies a hole of NULs, as long as all that was there.

import { readFully, readMuch } from './fingerprint.ts';

const zeros = Buffer.alloc(0x40000);

/** How many bytes it takes. */
export async function findHole(file: number): Promise<number> {
  const first = Buffer.alloc(1);
  if (readFully(file, first, 0) === 0 || first[0] !== 0) return 0;
  const bytes = Buffer.allocUnsafe(zeros.length);
  for (let offset = 0; ; ) {
    const block = bytes.subarray(0, await readMuch(file, bytes, offset));
    if (block.length === 0) return offset;
    if (!block.equals(zeros.subarray(0, block.length))) return offset + block.findIndex((byte) => byte !== 0);
    offset += block.length;
  }
}
