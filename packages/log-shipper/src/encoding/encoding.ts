// What an encoding is: how a record is written for the sinks that take it. Encoded once, sent as often as it takes.

import type { ByteWriter } from '../byte-writer.ts';
import type { Numbers } from '../numbers.ts';
import type { Records } from '../records.ts';

/** Where several records go. */
export type Output = {
  readonly into: ByteWriter;
  /** Where each begins, as a length of what was written before it. */
  readonly offsets: Numbers;
  /** How many bytes and how many records more there is room for. */
  readonly room: number;
  readonly most: number;
};

export type Write = {
  /** Throws for a record it cannot hold: it is then excused (see Records.excuse) and written again, which must succeed. */
  (index: number, into: ByteWriter): void;
  /** Writes several from one on, where that costs less. Returns how many: none where the first is to be written by itself. */
  run?: Run | undefined;
};

export type Run = (first: number, output: Output) => number;

/** Prepares what the records have in common and returns how to write the one at an index. */
export type Encoding = (records: Records) => Write;

/** A record that the encoding cannot hold goes as the line that it was, with the reason. */
export function writeOrExcuse(
  records: Records,
  write: Write,
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
