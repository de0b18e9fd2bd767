// What an encoding is: how a record is written for the sinks that take it. Encoded once, sent as often as it takes.

import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../byte-writer.ts';
import type { Records } from '../parse.ts';

/** Prepares what the records have in common and returns how to write the one at an index. Throws for a record it cannot hold. */
export type Encoding = (records: Records) => (index: number, into: ByteWriter) => void;

/** The bytes of a line with U+FFFD for what is not UTF-8, undefined where nothing is amiss: one such line would make a whole batch unreadable. */
export function repair({ lines: { chunk, spans, length } }: Records): (index: number) => Buffer | undefined {
  // One check for all lines; single lines are looked at only when it fails.
  if (isUtf8(chunk.bytes.subarray(0, length))) return () => undefined;
  return (index) => {
    const line = chunk.bytes.subarray(spans[2 * index]!, spans[2 * index + 1]!);
    return isUtf8(line) ? undefined : Buffer.from(line.toString('utf8'));
  };
}
