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

type AnyValue = Readonly<Record<string, unknown>>;
type KeyValue = { readonly key: string; readonly value: AnyValue };

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
  const common = stampOf(membersOf(attributes(records.common)));
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
      const { body, others, trace } = divide({ ...found, ...records.common, ...own }, records.lineField);
      into.text(`,"body":${JSON.stringify(body)}${trace}`);
      writeAttributes(index, into);
      into.text(membersOf(attributes(others)));
    } else {
      writeHead(index, into);
      into.stamp(line);
      lines.at(index);
      writeSoundString(into, lines.bytes, lines.start, lines.end);
      into.stamp(lineEnd);
      writeAttributes(index, into);
      into.stamp(common);
      if (own) into.text(membersOf(attributes(own)));
    }
    into.stamp(end);
  };
};

/** What is the message, what is said about it, and which trace it belongs to. */
function divide(fields: Fields, lineField: string): { body: AnyValue; others: Fields; trace: string } {
  const { trace_id, span_id, ...rest } = fields;
  const isTrace = typeof trace_id === 'string' && /^[0-9a-f]{32}$/i.test(trace_id);
  const isSpan = typeof span_id === 'string' && /^[0-9a-f]{16}$/i.test(span_id);
  const untraced = { ...(isTrace ? {} : { trace_id }), ...(isSpan ? {} : { span_id }), ...rest };
  const trace = `${isTrace ? `,"traceId":"${trace_id}"` : ''}${isSpan ? `,"spanId":"${span_id}"` : ''}`;
  const name = ['message', 'msg', lineField].find((each) => typeof rest[each] === 'string');
  if (name === undefined) return { body: anyValue(withoutUndefined(untraced)), others: {}, trace };
  const { [name]: message, ...others } = withoutUndefined(untraced);
  return { body: { stringValue: message }, others, trace };
}

const withoutUndefined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const membersOf = (values: readonly KeyValue[]): string => values.map((each) => `,${JSON.stringify(each)}`).join('');

export const attributes = (fields: Fields): KeyValue[] =>
  Object.entries(fields).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  // Digits that a double does not hold.
  if (JSON.isRawJSON(value))
    return isLong(value.rawJSON) ? { intValue: value.rawJSON } : { stringValue: value.rawJSON };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null) return { kvlistValue: { values: attributes(value as Fields) } };
  // An AnyValue without a value is OTLP's null.
  return {};
}

const isLong = (digits: string): boolean =>
  /^-?\d+$/.test(digits) && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits);
