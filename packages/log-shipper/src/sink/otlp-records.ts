// Records as OTLP's LogRecords in JSON: numbers of 64 bits are text, and so are nanoseconds.

import { uidOf } from '../batch.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { writeJsonText } from '../encoding/json-text.ts';
import { levelName } from '../encoding/level.ts';
import type { Fields } from '../records.ts';
import { noteFields } from '../transcode/sought.ts';

type AnyValue = Readonly<Record<string, unknown>>;
type KeyValue = { readonly key: string; readonly value: AnyValue };

export const logRecords: Encoding = (records) => {
  const read = `${BigInt(records.readAt) * 1_000_000n}`;
  // All of a line but the line itself is nearly the same in each of them.
  const common = membersOf(attributes(records.common));
  return (index, into) => {
    const found = records.found(index);
    if (found && !records.fields) noteFields(records, index, found);
    const known = records.times && !Number.isNaN(records.times.seconds[index]);
    const { seconds, nanos } = records.time(index);
    const level = records.level(index);
    into.text(
      `{${known ? `"timeUnixNano":"${seconds}${String(nanos).padStart(9, '0')}",` : ''}"observedTimeUnixNano":"${read}",${
        level > 0 ? `"severityNumber":${level},"severityText":"${levelName(level).toUpperCase()}",` : ''
      }"body":`,
    );
    const uid = `{"key":"log.record.uid","value":{"stringValue":"${uidOf(records, index)}"}}`;
    const own = records.own.get(index);
    if (found) {
      const { body, others, trace } = divide({ ...found, ...records.common, ...own }, records.lineField);
      into.text(`${JSON.stringify(body)}${trace},"attributes":[${uid}${membersOf(attributes(others))}]},`);
    } else {
      into.text('{"stringValue":');
      writeJsonText(into, records.line(index));
      into.text(`},"attributes":[${uid}${common}${own ? membersOf(attributes(own)) : ''}]},`);
    }
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
