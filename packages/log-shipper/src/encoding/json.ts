// JSON objects: one per line, or within what a vendor wants around them.

import { uidOf } from '../batch.ts';
import { type ByteWriter, Stamp } from '../byte-writer.ts';
import type { Records } from '../records.ts';
import { reasonOf, scannerFor } from '../transcode/scanners.ts';
import { note, noteFields, watchFor } from '../transcode/sought.ts';
import { copyMembers } from '../transcode/to-json.ts';
import type { Encoding } from './encoding.ts';
import { formatInstant, InstantMember, type TimeFormat } from './instant.ts';
import { writeSoundString } from './json-string.ts';
import { levelName } from './level.ts';
import { Lines } from './lines.ts';
import { uidWriter } from './uid.ts';

export type JsonNames = {
  /** What the line is called where it is the record, instead of the usual name. */
  readonly lineField?: string;
  /** Under which names time, level (OTLP's severityNumber) and the record's id are added; absent: they are not. */
  readonly timeField?: string;
  readonly timeFormat?: TimeFormat;
  readonly levelField?: string;
  /** As OTLP's number, which is the usual, or as its name: `info`. */
  readonly levelFormat?: 'number' | 'name';
  readonly uidField?: string;
};

type Write = (index: number, into: ByteWriter) => void;

const quote = 0x22;
const comma = 0x2c;
const openMap = 0x7b;
const closeMap = 0x7d;

/** How to write a record as one JSON object, without a newline. What is added wins over what all have, and that over what was found. */
export function jsonRecord(records: Records, names: JsonNames = {}): Write {
  if (names.lineField !== undefined) records.lineField = names.lineField;
  const { common, own, lineField } = records;
  const added = [names.timeField, names.levelField, names.uidField].filter((name) => name !== undefined);
  const others = [...added, ...Object.keys(common)];
  const lines = new Lines(records);
  const writeObject = objectWriter(records, names);
  // Names that meet are rare, and which of them wins is for objects to say.
  if (new Set(others).size < others.length || others.includes(lineField)) return writeObject;

  const writeShared = sharedWriter(records, names);
  const prefix = new Stamp(Buffer.from(`{${JSON.stringify(lineField)}:`));
  const writeJson = records.format === 'json' && !records.fields ? jsonWriter(records, names, lines) : undefined;
  return (index, into) => {
    if (own.has(index)) return writeObject(index, into);
    if (records.isText(index)) {
      lines.at(index);
      into.stamp(prefix);
      writeSoundString(into, lines.bytes, lines.start, lines.end);
      writeShared(index, into, true);
    } else {
      const members = writeJson?.(index, into);
      if (members === undefined) writeObject(index, into);
      else writeShared(index, into, members);
    }
  };
}

export const json: Encoding = (records) => {
  const write = jsonRecord(records);
  return (index, into) => {
    write(index, into);
    into.byte(0x0a);
  };
};

/** The brace and the members of a line that is JSON as far as anybody knows. Returns whether there were any, undefined if it is to be written as an object. */
function jsonWriter(
  records: Records,
  names: JsonNames,
  lines: Lines,
): (i: number, into: ByteWriter) => boolean | undefined {
  const { timeField, levelField, uidField } = names;
  const { sought } = records;
  const omit = [timeField, uidField, ...Object.keys(records.common)].filter((name) => name !== undefined);
  // A level that is not known leaves the line's own: it is left out, and put back.
  const levels = levelField === undefined ? [] : [levelField];
  const watch = [...(sought ? watchFor(sought) : []), ...levels];
  const scanner = scannerFor({ omit: [...omit, ...levels], watch });
  const own = levelField === undefined ? -1 : 2 * watch.indexOf(levelField);
  const name = new Stamp(Buffer.from(`${JSON.stringify(levelField)}:`));
  return (index, into) => {
    lines.at(index);
    scanner.read(lines.bytes);
    const outcome = scanner.scan(lines.start, lines.end);
    // How deep is too deep is its receiver's to say.
    if (outcome === 'unsure' || outcome === 'too deep' || (outcome === 'object' && scanner.broken)) return undefined;
    if (outcome !== 'object') {
      records.excuse(index, reasonOf(scanner, outcome, lines.start));
      return undefined;
    }
    if (sought) note(records, index, scanner);
    into.byte(openMap);
    const members = copyMembers(scanner, into);
    if (own === -1 || scanner.watched[own] === -1 || records.level(index) > 0) return members;
    if (members) into.byte(comma);
    into.stamp(name);
    into.copy(lines.bytes, scanner.watched[own], scanner.watched[own + 1]);
    return true;
  };
}

/** What comes behind the members that were found, up to the last brace. */
function sharedWriter(records: Records, names: JsonNames): (index: number, into: ByteWriter, comma: boolean) => void {
  const { timeField, timeFormat = 'rfc3339', levelField, uidField } = names;
  const shared = membersOf(records.common);
  const time = timeField === undefined ? undefined : new InstantMember(timeField, timeFormat);
  const uidName = new Stamp(Buffer.from(`${JSON.stringify(uidField)}:"`));
  const writeUid = uidWriter(records);
  const levels: Stamp[] = [];
  const writeOne = (into: ByteWriter, member: Stamp, behind: boolean): boolean => {
    if (member.bytes.length === 0) return behind;
    if (behind) into.byte(comma);
    into.stamp(member);
    return true;
  };
  return (index, into, members) => {
    let behind = writeOne(into, shared, members);
    if (time) {
      if (behind) into.byte(comma);
      time.write(records.time(index), into);
      behind = true;
    }
    const level = records.level(index);
    if (levelField !== undefined && level > 0) {
      levels[level] ??= membersOf({ [levelField]: levelOf(level, names) });
      behind = writeOne(into, levels[level], behind);
    }
    if (uidField !== undefined) {
      if (behind) into.byte(comma);
      into.stamp(uidName);
      writeUid(index, into);
      into.byte(quote);
    }
    into.byte(closeMap);
  };
}

const membersOf = (fields: object): Stamp => new Stamp(Buffer.from(JSON.stringify(fields).slice(1, -1)));

const levelOf = (level: number, { levelFormat }: JsonNames): string | number =>
  levelFormat === 'name' ? levelName(level) : level;

/** Any record, by way of its fields. */
function objectWriter(records: Records, names: JsonNames): Write {
  const { timeField, timeFormat = 'rfc3339', levelField, uidField } = names;
  return (index, into) => {
    const read = records.found(index);
    if (read && !records.fields) noteFields(records, index, read);
    const added: Record<string, unknown> = {};
    if (timeField !== undefined) added[timeField] = formatInstant(records.time(index), timeFormat);
    const level = records.level(index);
    if (levelField !== undefined && level > 0) added[levelField] = levelOf(level, names);
    if (uidField !== undefined) added[uidField] = uidOf(records, index);
    const found = read ?? { [records.lineField]: records.line(index).toString() };
    into.text(JSON.stringify({ ...found, ...records.common, ...records.own.get(index), ...added }));
  };
}
