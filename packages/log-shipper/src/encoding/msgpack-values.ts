// MessagePack, value by value. Written by hand because a general encoder costs two buffers and an object for each record.
//
// What starts with `put` takes a buffer with room and where to begin, and returns where it ended: in a loop over many small
// values that is half the cost of a writer that keeps count itself.

import { ByteWriter } from '../byte-writer.ts';
import type { Fields } from '../records.ts';

// Receivers stop at some depth, and so does the stack.
export const deepest = 100;

/** @param fix of the one byte that holds counts up to 15. @param wide of the form with two bytes, behind which the one with four is. */
export function putHeader(bytes: Uint8Array, at: number, count: number, fix: number, wide: number): number {
  if (count < 16) {
    bytes[at] = fix | count;
    return at + 1;
  }
  if (count < 0x10000) {
    bytes[at] = wide;
    return put16(bytes, at + 1, count);
  }
  bytes[at] = wide + 1;
  return put32(bytes, at + 1, count);
}

export const putMapHeader = (bytes: Uint8Array, at: number, count: number): number =>
  putHeader(bytes, at, count, 0x80, 0xde);

/** Of a text of that many bytes. */
export function putTextHeader(bytes: Uint8Array, at: number, length: number): number {
  if (length < 32) {
    bytes[at] = 0xa0 | length;
    return at + 1;
  }
  if (length < 0x100) {
    bytes[at] = 0xd9;
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 0x10000) {
    bytes[at] = 0xda;
    return put16(bytes, at + 1, length);
  }
  bytes[at] = 0xdb;
  return put32(bytes, at + 1, length);
}

/** An integer of at most 32 bits, sign included. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x20 && value <= 0x7f) {
    bytes[at] = value & 0xff;
    return at + 1;
  }
  if (value >= 0 && value <= 0xffff) {
    bytes[at] = 0xcd;
    return put16(bytes, at + 1, value);
  }
  bytes[at] = 0xd2;
  return put32(bytes, at + 1, value);
}

function put16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return at + 2;
}

function put32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** An integer of 64 bits. @param high of a negative one as two's complement has it. */
export function putWide(bytes: Uint8Array, at: number, high: number, low: number, negative: boolean): number {
  bytes[at] = negative ? 0xd3 : 0xcf;
  return put32(bytes, put32(bytes, at + 1, high), low);
}

/** What JSON calls a number and a double holds. */
export function putNumber(bytes: Uint8Array, view: DataView, at: number, value: number): number {
  if (value === (value | 0)) return putInteger(bytes, at, value | 0);
  if (!Number.isSafeInteger(value)) {
    bytes[at] = 0xcb;
    view.setFloat64(at + 1, value);
    return at + 9;
  }
  return putWide(bytes, at, Math.floor(value / 0x1_0000_0000), value >>> 0, value < 0);
}

export function encoded(value: unknown): Buffer {
  const into = new ByteWriter(64);
  writeValue(into, value);
  return into.written;
}

export function encodedText(text: string): Buffer {
  const into = new ByteWriter(64);
  writeText(into, text);
  return into.written;
}

export function encodedPairs(pairs: readonly (readonly [string, unknown])[]): { bytes: Buffer; count: number } {
  const into = new ByteWriter(64);
  for (const [key, value] of pairs) writePair(into, key, value);
  return { bytes: into.written, count: pairs.length };
}

export function writeMapHeader(into: ByteWriter, count: number): void {
  into.at = putMapHeader(into.reserve(5), into.at, count);
}

/** @param depth how many maps and lists it is in. */
export function writePair(into: ByteWriter, key: string, value: unknown, depth = 1): void {
  writeText(into, key);
  writeValue(into, value, depth);
}

function writeValue(into: ByteWriter, value: unknown, depth = 0): void {
  if (typeof value === 'string') writeText(into, value);
  else if (typeof value === 'number') into.at = putNumber(into.reserve(9), into.view, into.at, value);
  else if (value === null || value === undefined) into.byte(0xc0);
  else if (typeof value === 'boolean') into.byte(value ? 0xc3 : 0xc2);
  else if (JSON.isRawJSON(value)) writeDigits(into, value.rawJSON);
  else if (depth === deepest) throw new Error(`Nested more than ${deepest} deep`);
  else if (Array.isArray(value)) {
    into.at = putHeader(into.reserve(5), into.at, value.length, 0x90, 0xdc);
    for (const item of value) writeValue(into, item, depth + 1);
  } else {
    const fields = wellNamed(value as Fields);
    const names = Object.keys(fields);
    writeMapHeader(into, names.length);
    for (const name of names) writePair(into, name, fields[name], depth + 1);
  }
}

/**
 * With keys that UTF-8 has. JSON tells one half of a surrogate pair from another, and both become U+FFFD: as of a key that is
 * there twice, the last one wins.
 */
export function wellNamed(fields: Fields): Fields {
  if (Object.keys(fields).every((name) => name.isWellFormed())) return fields;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toWellFormed(), value]));
}

export function writeText(into: ByteWriter, text: string): void {
  const { length } = text;
  // Most are short and of ASCII: a loop is done before a call into the runtime has begun.
  if (length < 32 && putAscii(into.reserve(1 + length), into.at + 1, text)) {
    into.reserve(0)[into.at] = 0xa0 | length;
    into.at += 1 + length;
    return;
  }
  const size = Buffer.byteLength(text);
  const bytes = into.reserve(5 + size);
  const at = putTextHeader(bytes, into.at, size);
  into.at = at + bytes.write(text, at);
}

/** Whether all of it was ASCII. */
function putAscii(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[at + index] = code;
  }
  return true;
}

/** Bytes that are UTF-8, as text. */
export function writeBytes(into: ByteWriter, bytes: Buffer, start: number, end: number): void {
  into.at = putTextHeader(into.reserve(5), into.at, end - start);
  into.copy(bytes, start, end);
}

/** A number as JSON writes it. What neither a double nor 64 bits hold goes as text. */
export function writeDigits(into: ByteWriter, digits: string): void {
  const value = Number(digits);
  const whole = /^-?\d+$/.test(digits);
  if (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) {
    into.at = putNumber(into.reserve(9), into.view, into.at, value);
    return;
  }
  const exact = whole ? BigInt(digits) : undefined;
  if (exact === undefined || exact < -(2n ** 63n) || exact >= 2n ** 64n) {
    writeText(into, digits);
    return;
  }
  const bits = BigInt.asUintN(64, exact);
  into.at = putWide(into.reserve(9), into.at, Number(bits >> 32n), Number(bits & 0xffff_ffffn), exact < 0n);
}
