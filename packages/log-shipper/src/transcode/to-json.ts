// From a line that was scanned to the members of a JSON object.

import type { ByteWriter } from '../byte-writer.ts';
import type { Scanner } from './scan.ts';

const comma = 0x2c;
const space = 0x20;

/**
 * Copies the members of the object that was scanned, without braces: nothing in them has to be written anew. For an object
 * on one line. Returns whether there were any.
 */
export function copyMembers(scanner: Scanner, into: ByteWriter): boolean {
  const { bytes, omitted, omissions, first, last, tape } = scanner;
  if (tape[1] === 0) return false;
  if (omissions === 0) {
    into.copy(bytes, first, last);
    return true;
  }
  const begun = into.at;
  for (let at = 0; at <= omissions; at += 2) {
    let start = at === 0 ? first : omitted[at - 1]!;
    let end = at === omissions ? last : omitted[at]!;
    // The commas around what is left out are its own.
    while (start < end && separates(bytes[start]!)) start++;
    while (start < end && separates(bytes[end - 1]!)) end--;
    if (start === end) continue;
    if (into.at > begun) into.byte(comma);
    into.copy(bytes, start, end);
  }
  return true;
}

const separates = (byte: number): boolean => byte === comma || byte <= space;
