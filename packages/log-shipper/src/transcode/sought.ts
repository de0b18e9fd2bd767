// What is wanted of the values of a JSON line while its bytes are read anyway.

import type { Fields, Records } from '../records.ts';
import type { Scanner } from './scan.ts';

type Moment = { seconds: number; nanos: number };

export type Sought = {
  /** Of the member that says when it was. Its value is read where it lies, a text without its quotes; false: it is no time. */
  readonly timeField?: string;
  readonly readTime?: (bytes: Buffer, start: number, end: number, into: Moment) => boolean;
  /** Whether RFC 3339 is among what `readTime` reads. */
  readonly readsRfc3339?: boolean;
  /** Of the member that says how bad it is; OTLP's severityNumber, 0: it is no level. */
  readonly levelField?: string;
  readonly readLevel?: (bytes: Buffer, start: number, end: number) => number;
};

const quote = 0x22;
const moment: Moment = { seconds: 0, nanos: 0 };

/** The keys to watch, in the order that `note` expects. */
export const watchFor = ({ timeField = '', levelField = '' }: Sought): string[] => [timeField, levelField];

/** Notes time and level of a record whose line was scanned. */
export function note(records: Records, index: number, { watched, bytes }: Scanner): void {
  if (watched[0] !== -1) noteTimeOf(records, index, bytes, watched[0]!, watched[1]!);
  if (watched[2] !== -1) noteLevelOf(records, index, bytes, watched[2]!, watched[3]!);
}

/** Of a value as it is in a line. */
export const noteTimeOf = (records: Records, index: number, bytes: Buffer, start: number, end: number): void =>
  noteTime(records, index, bytes, inner(bytes, start, 1), inner(bytes, end, -1));

/** Returns the level, 0 if it is none. */
export const noteLevelOf = (records: Records, index: number, bytes: Buffer, start: number, end: number): number =>
  noteLevel(records, index, bytes, inner(bytes, start, 1), inner(bytes, end, -1));

/** The same of one whose fields were looked at. */
export function noteFields(records: Records, index: number, fields: Fields): void {
  const { timeField, levelField } = records.sought ?? {};
  const time = timeField === undefined ? undefined : bytesOf(fields[timeField]);
  if (time) noteTime(records, index, time, 0, time.length);
  const level = levelField === undefined ? undefined : bytesOf(fields[levelField]);
  if (level) noteLevel(records, index, level, 0, level.length);
}

function noteTime(records: Records, index: number, bytes: Buffer, start: number, end: number): void {
  if (records.sought?.readTime?.(bytes, start, end, moment)) records.setTime(index, moment);
}

function noteLevel(records: Records, index: number, bytes: Buffer, start: number, end: number): number {
  const level = records.sought?.readLevel?.(bytes, start, end) ?? 0;
  if (level !== 0) records.setLevel(index, level);
  return level;
}

/** Past a quote, if there is one on this side of the value. */
const inner = (bytes: Buffer, at: number, step: 1 | -1): number =>
  bytes[step === 1 ? at : at - 1] === quote ? at + step : at;

function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'number') return Buffer.from(String(value));
  return JSON.isRawJSON(value) ? Buffer.from(value.rawJSON) : undefined;
}
