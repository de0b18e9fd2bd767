// What an encoding is: how a record is written for the sinks that take it. Encoded once, sent as often as it takes.

import type { ByteWriter } from '../byte-writer.ts';
import type { Records } from '../records.ts';

/**
 * Prepares what the records have in common and returns how to write the one at an index. Throws for a record it cannot hold:
 * it is then excused (see Records.excuse) and written again, which must succeed.
 */
export type Encoding = (records: Records) => (index: number, into: ByteWriter) => void;

/** A record that the encoding cannot hold goes as the line that it was, with the reason. */
export function writeOrExcuse(
  records: Records,
  write: ReturnType<Encoding>,
  { index, into }: { readonly index: number; readonly into: ByteWriter },
): void {
  const { at } = into;
  try {
    write(index, into);
  } catch (error) {
    into.at = at;
    records.excuse(index, (error as Error).message);
    write(index, into);
  }
}
