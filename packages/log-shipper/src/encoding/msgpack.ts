// Entries of the Forward protocol: [EventTime, record], one behind the other. Written by hand because a general encoder
// costs two buffers and an object for each record, and a line needs none.

import { type ByteWriter, Stamp } from '../byte-writer.ts';
import type { Records } from '../records.ts';
import { openBlocks } from '../transcode/blocks.ts';
import { reasonOf, scannerFor } from '../transcode/scanners.ts';
import { note, noteFields, watchFor } from '../transcode/sought.ts';
import { openTexts } from '../transcode/texts.ts';
import { writeMembers } from '../transcode/to-msgpack.ts';
import type { Encoding, Run, Write } from './encoding.ts';
import { entryLength, putEntry } from './entry.ts';
import { Lines } from './lines.ts';
import {
  encodedPairs,
  encodedText,
  putMapHeader,
  wellNamed,
  writeBytes,
  writeMapHeader,
  writePair,
  writeText,
} from './msgpack-values.ts';

export { encoded } from './msgpack-values.ts';

export const msgpack: Encoding = (records) => open(records, true);

/** The same without the kernel, which it is tested against. */
export const msgpackByLine: Encoding = (records) => open(records, false);

function open(records: Records, byKernel: boolean): Write {
  const { common, own, lineField, format, fields } = records;
  const lines = new Lines(records);
  const { bytes, count } = encodedPairs(Object.entries(common));
  const shared = { stamp: new Stamp(bytes), count };
  // A name that all records have something under is not the line's.
  const hidden = Object.hasOwn(common, lineField);
  const known = { records, lines, shared, byKernel: byKernel && lines.sound && !hidden };
  const writeObject = objectWriter(known);
  const writeLine = lineWriter(known);
  if (format === 'text' && !fields && !hidden)
    return withRun(writeLine.run, (index, into) => {
      if (own.size > 0 && own.has(index)) writeObject(index, into);
      else writeLine(index, into);
    });
  const writeJson = format === 'json' && !fields ? jsonWriter(known) : undefined;
  return withRun(writeJson?.run, (index, into) => {
    if (hidden || own.has(index)) writeObject(index, into);
    else if (records.isText(index)) writeLine(index, into);
    else if (!writeJson?.(index, into)) writeObject(index, into);
  });
}

type Known = {
  readonly records: Records;
  readonly lines: Lines;
  /** What all records have. */
  readonly shared: { readonly stamp: Stamp; readonly count: number };
  /** Whether many at a time may be the kernel's to write. */
  readonly byKernel: boolean;
};

const withRun = <Written>(run: Run | undefined, write: (index: number, into: ByteWriter) => Written) =>
  Object.assign(write, { run });

/** Records that are their line: all of one but the line is the same in every other, but for the time in some. */
function lineWriter({ records, lines, shared, byKernel }: Known) {
  const name = encodedText(records.lineField);
  const before = Buffer.alloc(entryLength + 5 + name.length);
  putEntry(before, 0, records.time(-1));
  const named = putMapHeader(before, entryLength, 1 + shared.count);
  const head = new Stamp(before.subarray(0, named + name.copy(before, named)));
  const run =
    byKernel && records.format === 'text'
      ? openTexts({ records, head: head.bytes, common: shared.stamp.bytes })
      : undefined;
  return withRun(run, (index, into) => {
    lines.at(index);
    const { at } = into;
    into.stamp(head);
    if (records.times) putEntry(into.reserve(0), at, records.time(index));
    writeBytes(into, lines.bytes, lines.start, lines.end);
    if (shared.count > 0) into.stamp(shared.stamp);
  });
}

/** Records that are JSON as far as anybody knows. Returns false for one that is to be written as an object. */
function jsonWriter({ records, lines, shared, byKernel }: Known) {
  const { sought } = records;
  const entry = new Stamp(Buffer.alloc(entryLength));
  putEntry(entry.bytes, 0, records.time(-1));
  const scanner = scannerFor({ omit: Object.keys(records.common), watch: sought ? watchFor(sought) : [] });
  const given = { records, entry: entry.bytes, common: shared.stamp.bytes, count: shared.count };
  const run = byKernel ? openBlocks(given) : undefined;
  return withRun(run, (index, into) => {
    lines.at(index);
    scanner.read(lines.bytes);
    const outcome = scanner.scan(lines.start, lines.end);
    if (outcome !== 'object') {
      if (outcome !== 'unsure') records.excuse(index, reasonOf(scanner, outcome, lines.start));
      return false;
    }
    if (sought) note(records, index, scanner);
    const { at } = into;
    into.stamp(entry);
    const bytes = into.reserve(5);
    if (records.times) putEntry(bytes, at, records.time(index));
    into.at = putMapHeader(bytes, into.at, scanner.tape[1]! + shared.count);
    writeMembers(scanner, into);
    if (shared.count > 0) into.stamp(shared.stamp);
    return true;
  });
}

/** Any record, by way of its fields. */
function objectWriter({ records, lines, shared }: Known): (index: number, into: ByteWriter) => void {
  const { common, own, lineField } = records;
  return (index, into) => {
    const fields = records.found(index);
    if (fields && !records.fields) noteFields(records, index, fields);
    const found = fields && wellNamed(fields);
    const others = own.get(index) ?? {};
    const all = Object.keys(others).some((name) => Object.hasOwn(common, name)) ? undefined : shared;
    // A key twice in a map is what receivers disagree about: what was asked for wins over what was found.
    const hidden = (name: string) => Object.hasOwn(common, name) || Object.hasOwn(others, name);
    const added = Object.entries(all ? others : { ...common, ...others });
    const names = found ? Object.keys(found).filter((name) => !hidden(name)) : [];
    const plain = !found && !hidden(lineField);
    putEntry(into.reserve(entryLength), into.at, records.time(index));
    into.at += entryLength;
    writeMapHeader(into, names.length + (plain ? 1 : 0) + (all?.count ?? 0) + added.length);
    for (const name of names) writePair(into, name, found![name]);
    if (plain) {
      lines.at(index);
      writeText(into, lineField);
      writeBytes(into, lines.bytes, lines.start, lines.end);
    }
    if (all) into.stamp(all.stamp);
    for (const [name, value] of added) writePair(into, name, value);
  };
}
