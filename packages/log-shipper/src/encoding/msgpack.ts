// Entries of the Forward protocol: [EventTime, record], one behind the other. Written by hand because a general encoder
// costs two buffers and an object for each record, and a line needs none.

import { ByteWriter } from '../byte-writer.ts';
import type { Fields, Instant } from '../records.ts';
import { type Encoding, repair } from './encoding.ts';

export const msgpack: Encoding = (records) => {
  const { bytes, spans, common, lineField, times, own } = records;
  const repaired = repair(records);
  const readAt = entryAt(records.time(-1));
  const shared = encodedPairs(Object.entries(common));
  // All of an unparsed record but the line is the same in every one of them.
  const plain = Buffer.concat([encodedMapHeader(1 + shared.count), encoded(lineField)]);

  const writeLine = (index: number, into: ByteWriter) => {
    const line = records.replaced?.get(index) ?? repaired(index);
    if (line) writeString(into, line, 0, line.length);
    else writeString(into, bytes, spans[2 * index]!, spans[2 * index + 1]!);
  };

  const writeAny = (index: number, into: ByteWriter) => {
    const found = records.found(index);
    const extra = Object.entries(own.get(index) ?? {});
    // A key twice in a map is what receivers disagree about: what was asked for wins over what was found.
    const hidden = (name: string) =>
      Object.hasOwn(common, name) || (extra.length > 0 && Object.hasOwn(own.get(index)!, name));
    const pairs = found && Object.entries(found).filter(([name]) => !hidden(name));
    mapHeader(into, (pairs?.length ?? 1) + shared.count + extra.length);
    if (pairs) for (const pair of pairs) writePair(into, pair);
    else {
      writeText(into, lineField);
      writeLine(index, into);
    }
    into.copy(shared.bytes);
    for (const pair of extra) writePair(into, pair);
  };

  return (index, into) => {
    into.copy(times ? entryAt(records.time(index)) : readAt);
    if (own.has(index) || !records.isText(index)) return writeAny(index, into);
    into.copy(plain);
    writeLine(index, into);
    if (shared.count > 0) into.copy(shared.bytes);
  };
};

/** The beginning of an entry: an array of two, and an EventTime, fixext 8 of type 0: seconds and nanoseconds. */
function entryAt({ seconds, nanos }: Instant): Buffer {
  const bytes = Buffer.alloc(11);
  bytes[0] = 0x92;
  bytes.writeUInt16BE(0xd700, 1);
  // Seconds are unsigned and of 32 bits: nothing before 1970 or after 2106 can be said.
  bytes.writeUInt32BE(Math.min(Math.max(seconds, 0), 0xffffffff), 3);
  bytes.writeUInt32BE(nanos, 7);
  return bytes;
}

export function encoded(value: unknown): Buffer {
  const into = new ByteWriter(64);
  writeValue(into, value);
  return into.written;
}

function encodedMapHeader(count: number): Buffer {
  const into = new ByteWriter(8);
  mapHeader(into, count);
  return into.written;
}

function encodedPairs(pairs: [string, unknown][]): { bytes: Buffer; count: number } {
  const into = new ByteWriter(64);
  for (const pair of pairs) writePair(into, pair);
  return { bytes: into.written, count: pairs.length };
}

function writePair(into: ByteWriter, [key, value]: [string, unknown], depth = 0): void {
  writeText(into, key);
  writeValue(into, value, depth + 1);
}

// Receivers stop at some depth, and so does the stack.
const deepest = 100;

function writeValue(into: ByteWriter, value: unknown, depth = 0): void {
  if (depth > deepest) throw new Error(`Nested more than ${deepest} deep`);
  if (typeof value === 'string') writeText(into, value);
  else if (typeof value === 'number') writeNumber(into, value);
  else if (value === null || value === undefined) into.byte(0xc0);
  else if (typeof value === 'boolean') into.byte(value ? 0xc3 : 0xc2);
  else if (JSON.isRawJSON(value)) writeExact(into, value.rawJSON);
  else if (Array.isArray(value)) {
    header(into, value.length, { fix: 0x90, wide: 0xdc });
    for (const item of value) writeValue(into, item, depth + 1);
  } else {
    const pairs = Object.entries(value as Fields);
    mapHeader(into, pairs.length);
    for (const pair of pairs) writePair(into, pair, depth);
  }
}

function header(into: ByteWriter, count: number, { fix, wide }: { fix: number; wide: number }): void {
  const bytes = into.reserve(5);
  if (count < 16) into.byte(fix | count);
  else if (count < 0x10000) {
    bytes[into.at] = wide;
    into.at = bytes.writeUInt16BE(count, into.at + 1);
  } else {
    bytes[into.at] = wide + 1;
    into.at = bytes.writeUInt32BE(count, into.at + 1);
  }
}

const mapHeader = (into: ByteWriter, count: number) => header(into, count, { fix: 0x80, wide: 0xde });

function writeText(into: ByteWriter, text: string): void {
  const bytes = Buffer.from(text);
  writeString(into, bytes, 0, bytes.length);
}

/** Bytes that are UTF-8, as msgpack str. */
function writeString(into: ByteWriter, bytes: Buffer, start: number, end: number): void {
  const length = end - start;
  const head = into.reserve(5);
  if (length < 32) head[into.at++] = 0xa0 | length;
  else if (length < 0x100) {
    head[into.at] = 0xd9;
    into.at = head.writeUInt8(length, into.at + 1);
  } else if (length < 0x10000) {
    head[into.at] = 0xda;
    into.at = head.writeUInt16BE(length, into.at + 1);
  } else {
    head[into.at] = 0xdb;
    into.at = head.writeUInt32BE(length, into.at + 1);
  }
  into.copy(bytes, start, end);
}

function writeNumber(into: ByteWriter, value: number): void {
  const bytes = into.reserve(9);
  const { at } = into;
  if (Number.isInteger(value) && value >= -0x20 && value <= 0x7f) into.byte(value & 0xff);
  else if (Number.isInteger(value) && value >= -0x80 && value < 0) {
    bytes[at] = 0xd0;
    into.at = bytes.writeInt8(value, at + 1);
  } else if (Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff) {
    bytes[at] = 0xd2;
    into.at = bytes.writeInt32BE(value, at + 1);
  } else if (Number.isSafeInteger(value)) {
    bytes[at] = 0xd3;
    into.at = bytes.writeBigInt64BE(BigInt(value), at + 1);
  } else {
    bytes[at] = 0xcb;
    into.at = bytes.writeDoubleBE(value, at + 1);
  }
}

/** Digits that a double would not hold: 64 bits where they fit, else as text. */
function writeExact(into: ByteWriter, digits: string): void {
  const value = /^-?\d+$/.test(digits) ? BigInt(digits) : undefined;
  if (value === undefined || value < -(2n ** 63n) || value >= 2n ** 64n) {
    writeText(into, digits);
    return;
  }
  const bytes = into.reserve(9);
  bytes[into.at] = value < 0n ? 0xd3 : 0xcf;
  into.at = value < 0n ? bytes.writeBigInt64BE(value, into.at + 1) : bytes.writeBigUInt64BE(value, into.at + 1);
}
