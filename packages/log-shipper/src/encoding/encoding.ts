// What an encoding is: how a record is written for the sinks that take it. Encoded once, sent as often as it takes.

import type { ByteWriter } from '../byte-writer.ts';
import type { Records } from '../records.ts';

/**
 * Prepares what the records have in common and returns how to write the one at an index. Throws for a record it cannot hold:
 * it is then excused (see Records.excuse) and written again, which must succeed.
 */
export type Encoding = (records: Records) => (index: number, into: ByteWriter) => void;
