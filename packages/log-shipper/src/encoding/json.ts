// JSON objects: one per line, or within what a vendor wants around them.

import { uidOf } from '../batch.ts';
import type { ByteWriter } from '../byte-writer.ts';
import type { Records } from '../records.ts';
import type { Encoding } from './encoding.ts';
import { formatInstant, type TimeFormat } from './instant.ts';
import { levelName } from './level.ts';

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

/** How to write a record as one JSON object, without a newline. */
export function jsonRecord(records: Records, names: JsonNames = {}): (index: number, into: ByteWriter) => void {
  if (names.lineField !== undefined) records.lineField = names.lineField;
  const { timeField, timeFormat = 'rfc3339', levelField, levelFormat, uidField } = names;
  return (index, into) => {
    const added: Record<string, unknown> = {};
    if (timeField !== undefined) added[timeField] = formatInstant(records.time(index), timeFormat);
    const level = records.level(index);
    if (levelField !== undefined && level > 0) added[levelField] = levelFormat === 'name' ? levelName(level) : level;
    if (uidField !== undefined) added[uidField] = uidOf(records, index);
    const found = records.found(index) ?? { [records.lineField]: records.line(index).toString() };
    into.text(JSON.stringify({ ...found, ...records.common, ...records.own.get(index), ...added }));
  };
}

export const json: Encoding = (records) => {
  const write = jsonRecord(records);
  return (index, into) => {
    write(index, into);
    into.byte(0x0a);
  };
};
