// What an encoding is: how a record is written for the sinks that take it. Encoded once, sent as often as it takes.

import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../byte-writer.ts';
import type { Records } from '../records.ts';

/**
 * Prepares what the records have in common and returns how to write the one at an index. Throws for a record it cannot hold:
 * it is then excused (see Records.excuse) and written again, which must succeed.
 */
export type Encoding = (records: Records) => (index: number, into: ByteWriter) => void;

/** The bytes of a line with U+FFFD for what is not UTF-8, undefined where nothing is amiss: one such line would make a whole batch unreadable. */
export function repair(records: Records): (index: number) => Buffer | undefined {
  const { bytes, spans, count } = records;
  const whole = count === 0 || isUtf8(bytes.subarray(spans[0], spans[2 * count - 1]));
  // One check for all lines; single lines are looked at only when it fails.
  if (whole) return () => undefined;
  return (index) => {
    const line = bytes.subarray(spans[2 * index], spans[2 * index + 1]);
    return isUtf8(line) ? undefined : Buffer.from(line.toString('utf8'));
  };
}
