// JSON as vendors want it around records: strings from bytes, and arrays.

import { isUtf8 } from 'node:buffer';
import type { Batch } from '../batch.ts';
import type { ByteWriter } from '../byte-writer.ts';

/** Bytes as a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD. */
export function writeJsonText(into: ByteWriter, bytes: Buffer): void {
  if (!isPlain(bytes)) {
    into.text(JSON.stringify(bytes.toString()));
    return;
  }
  into.byte(0x22);
  into.copy(bytes);
  into.byte(0x22);
}

/** Whether it can stand between quotes as it is, as nearly all lines can: that saves a string and its escaping. */
function isPlain(bytes: Buffer): boolean {
  let beyondAscii = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return false;
    beyondAscii |= byte;
  }
  return beyondAscii < 0x80 || isUtf8(bytes);
}

/**
 * Records with a comma behind each, within an array. The last comma becomes a space, where the batch lies: it stays the
 * last of whatever pieces are made of the batch.
 */
export function withinArray(batch: Pick<Batch, 'wrap'>, head: Buffer, tail: Buffer): Buffer {
  const whole = batch.wrap(head, tail);
  whole[whole.length - tail.length - 1] = 0x20;
  return whole;
}
