// The id of a record as bytes: as uidOf gives it, without the strings that it would take for each record.

import { crc32 } from 'node:zlib';
import { type ByteWriter, stampOf } from '../byte-writer.ts';
import type { Records } from '../records.ts';

const digits = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const dash = 0x2d;

export function uidWriter(records: Records): (index: number, into: ByteWriter) => void {
  const { chunk, uids } = records;
  if (uids) return (index, into) => into.text(uids[index]!);
  const origin = stampOf(`${chunk.origin}-`);
  return (index, into) => {
    into.stamp(origin);
    writeBase36(into, chunk.offset + records.originOf(index));
    into.byte(dash);
    writeBase36(into, crc32(records.line(index)));
  };
}

function writeBase36(into: ByteWriter, value: number): void {
  let width = 1;
  for (let limit = 36; value >= limit; limit *= 36) width++;
  const bytes = into.reserve(width);
  let rest = value;
  for (let at = into.at + width - 1; at >= into.at; at--) {
    const next = Math.floor(rest / 36);
    bytes[at] = digits[rest - next * 36]!;
    rest = next;
  }
  into.at += width;
}
