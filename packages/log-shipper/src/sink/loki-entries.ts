// Entries of a Loki stream: [nanoseconds as text, line, structured metadata].

import type { Batch } from '../batch.ts';
import { ByteWriter, stampOf } from '../byte-writer.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { jsonRecord } from '../encoding/json.ts';
import { withinArray } from '../encoding/json-array.ts';
import { writeSoundString } from '../encoding/json-string.ts';
import { levelName } from '../encoding/level.ts';
import { Lines } from '../encoding/lines.ts';
import { uidWriter } from '../encoding/uid.ts';
import type { Fields, Records } from '../records.ts';

const metadata = stampOf(',{"log_record_uid":"');
const level = Array.from({ length: 25 }, (_, at) => stampOf(at === 0 ? '"' : `","level":"${levelName(at)}"`));
const end = stampOf('}],');

export const entries: Encoding = (records) => {
  const write = jsonRecord(records);
  const writeUid = uidWriter(records);
  const lines = new Lines(records);
  const object = new ByteWriter();
  const common = stampOf(members(records.common));
  return (index, into) => {
    const isText = records.isText(index);
    object.reset();
    // Only then is the time sure to be known: it may be a member of what was written.
    if (!isText) write(index, object);
    into.text(`["${nanosecondsOf(records, index)}",`);
    if (isText) {
      lines.at(index);
      writeSoundString(into, lines.bytes, lines.start, lines.end);
    } else {
      const { written } = object;
      writeSoundString(into, written, 0, written.length);
    }
    into.stamp(metadata);
    writeUid(index, into);
    into.stamp(level[records.level(index)]!);
    if (isText) {
      into.stamp(common);
      const own = records.own.get(index);
      if (own) into.text(members(own));
    }
    into.stamp(end);
  };
};

/** Structured metadata is flat, and text. */
const members = (fields: Fields): string =>
  Object.entries(fields)
    .map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `,${JSON.stringify(name.replace(/[^a-zA-Z0-9_]/g, '_'))}:${JSON.stringify(text)}`;
    })
    .join('');

/**
 * Of two entries with the same time and text Loki keeps one. An application that says the same twice within a millisecond
 * has said it twice: where there is nothing below milliseconds, the place in the file stands there, the same each time.
 */
function nanosecondsOf(records: Records, index: number): string {
  const { seconds, nanos } = records.time(index);
  const place = nanos % 1_000_000 === 0 ? (records.chunk.offset + records.originOf(index)) % 1_000_000 : 0;
  return `${seconds}${String(nanos + place).padStart(9, '0')}`;
}

/** The request: streams are to be in the order of time, and the lines of several files may not be. */
export function inOrder(batch: Batch, head: Buffer, tail: Buffer): Buffer {
  const { bytes, offsets, records } = batch;
  let at = 1;
  while (at < records && compareTimes(bytes, offsets[at - 1]!, offsets[at]!) <= 0) at++;
  if (at >= records) return withinArray(batch, head, tail);
  const order = Array.from({ length: records }, (_, index) => index);
  order.sort((a, b) => compareTimes(bytes, offsets[a]!, offsets[b]!));
  const pieces = order.map((index) => bytes.subarray(offsets[index], offsets[index + 1]! - 1));
  return Buffer.concat([head, ...pieces.flatMap((piece, each) => (each === 0 ? [piece] : [comma, piece])), tail]);
}

const comma = Buffer.from(',');
const quote = 0x22;

/** Of two entries, by their digits where they lie: this is done for each record. */
function compareTimes(bytes: Buffer, a: number, b: number): number {
  let at = 2;
  while (bytes[a + at] === bytes[b + at]) {
    if (bytes[a + at] === quote) return 0;
    at++;
  }
  const difference = bytes[a + at]! - bytes[b + at]!;
  while (bytes[a + at] !== quote && bytes[b + at] !== quote) at++;
  // The longer number is the larger one.
  return Number(bytes[b + at] === quote) - Number(bytes[a + at] === quote) || difference;
}

export type Entry = { readonly nanoseconds: bigint; readonly bytes: number };

/** What an answer may speak of. */
export function readEntry(written: Buffer): Entry {
  const [time, line] = JSON.parse(written.toString()) as [string, string];
  return { nanoseconds: BigInt(time), bytes: Buffer.byteLength(line) };
}
