// Records as OTLP's LogRecords in JSON: numbers of 64 bits are text, and so are nanoseconds.

import { type ByteWriter, type Stamp, stampOf } from '../byte-writer.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { InstantMember } from '../encoding/instant.ts';
import { writeSoundString } from '../encoding/json-string.ts';
import { levelName } from '../encoding/level.ts';
import { Lines } from '../encoding/lines.ts';
import { uidWriter } from '../encoding/uid.ts';
import type { Fields } from '../records.ts';
import { noteFields } from '../transcode/sought.ts';

const severity = Array.from({ length: 25 }, (_, at) =>
  stampOf(at === 0 ? '' : `,"severityNumber":${at},"severityText":"${levelName(at).toUpperCase()}"`),
);
const comma = 0x2c;
const [line, uid, end] = [
  ',"body":{"stringValue":',
  ',"attributes":[{"key":"log.record.uid","value":{"stringValue":"',
  ']},',
].map((text) => stampOf(text)) as [Stamp, Stamp, Stamp];
const [lineEnd, uidEnd] = [stampOf('}'), stampOf('"}}')];

export const logRecords: Encoding = (records) => {
  const head = stampOf(`{"observedTimeUnixNano":"${BigInt(records.readAt) * 1_000_000n}"`);
  const time = new InstantMember('timeUnixNano', 'unix-ns');
  const writeUid = uidWriter(records);
  const lines = new Lines(records);
  const common = stampOf(members(records.common));
  const writeHead = (index: number, into: ByteWriter) => {
    into.stamp(head);
    if (records.times && !Number.isNaN(records.times.seconds[index])) {
      into.byte(comma);
      time.write(records.time(index), into);
    }
    into.stamp(severity[records.level(index)]!);
  };
  const writeAttributes = (index: number, into: ByteWriter) => {
    into.stamp(uid);
    writeUid(index, into);
    into.stamp(uidEnd);
  };
  return (index, into) => {
    const found = records.found(index);
    const own = records.own.get(index);
    if (found) {
      if (!records.fields) noteFields(records, index, found);
      writeHead(index, into);
      const { body, trace, others } = divide(found, { ...records.common, ...own }, records.lineField);
      into.text(`,"body":${body}${trace}`);
      writeAttributes(index, into);
      into.text(others);
    } else {
      writeHead(index, into);
      into.stamp(line);
      lines.at(index);
      writeSoundString(into, lines.bytes, lines.start, lines.end);
      into.stamp(lineEnd);
      writeAttributes(index, into);
      into.stamp(common);
      if (own) into.text(members(own));
    }
    into.stamp(end);
  };
};

/** What is the message, which trace it belongs to, and what else is said: as JSON. What was added wins over what was found. */
function divide(found: Fields, added: Fields, lineField: string): { body: string; trace: string; others: string } {
  const message = ['message', 'msg', lineField].find(
    (name) => typeof found[name] === 'string' && !Object.hasOwn(added, name),
  );
  let trace = '';
  let others = '';
  for (const key in found) {
    const value = found[key];
    if (key === message || Object.hasOwn(added, key)) continue;
    if (key === 'trace_id' && isHex(value, 32)) trace += `,"traceId":"${value}"`;
    else if (key === 'span_id' && isHex(value, 16)) trace += `,"spanId":"${value}"`;
    else others += member(key, value);
  }
  others += members(added);
  if (message !== undefined) return { body: anyValue(found[message]), trace, others };
  return { body: `{"kvlistValue":{"values":[${others.slice(1)}]}}`, trace, others: '' };
}

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/i.test(value);

/** Attributes, with a comma before each. */
function members(fields: Fields): string {
  let written = '';
  for (const key in fields) written += member(key, fields[key]);
  return written;
}

const member = (key: string, value: unknown): string => `,{"key":${JSON.stringify(key)},"value":${anyValue(value)}}`;

/** Attributes as the elements of an array. */
export const attributes = (fields: Fields): string => members(fields).slice(1);

function anyValue(value: unknown): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${JSON.stringify(value)}}`;
  // An AnyValue without a value is OTLP's null.
  if (typeof value !== 'object' || value === null) return '{}';
  // Digits that a double does not hold.
  if (JSON.isRawJSON(value))
    return isLong(value.rawJSON) ? `{"intValue":"${value.rawJSON}"}` : `{"stringValue":"${value.rawJSON}"}`;
  if (Array.isArray(value)) return `{"arrayValue":{"values":[${value.map(anyValue).join()}]}}`;
  return `{"kvlistValue":{"values":[${attributes(value as Fields)}]}}`;
}

const isLong = (digits: string): boolean =>
  /^-?\d+$/.test(digits) && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits);
