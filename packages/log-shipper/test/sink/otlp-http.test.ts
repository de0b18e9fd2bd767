import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/byte-writer.ts';
import { logRecords } from '../../src/sink/otlp-records.ts';
import { recordsOf } from '../chunk.ts';
import { attributesOf, type LogRecord, OtlpReceiver } from '../receivers/otlp.ts';
import { openTo } from './http-peers.ts';

const delivered = { became: 'delivered' };

// "Only 429, 502, 503 and 504 may be tried again."
test.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [400, 'split'],
  [401, 'paused'],
  [403, 'paused'],
  [404, 'paused'],
  [408, 'dead'],
  [413, 'split'],
  [429, 'retry'],
  [500, 'dead'],
  [501, 'dead'],
  [502, 'retry'],
  [503, 'retry'],
  [504, 'retry'],
])('status %i: %s', async (status, became) => {
  await using receiver = await OtlpReceiver.listen();
  await using to = await openTo('otlp-http', receiver);
  receiver.fail({ fault: 'answer', status, body: status === 204 ? undefined : {} });
  expect(await to.write(['one', 'two'])).toMatchObject({ became });
});

test.each([
  [
    { partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } },
    { became: 'dead', reason: '2 of 2 records are rejected: too old' },
  ],
  [{ partialSuccess: { rejectedLogRecords: '1' } }, { became: 'dead' }],
  // A warning.
  [{ partialSuccess: { rejectedLogRecords: '0', errorMessage: 'use gRPC' } }, delivered],
  [{ partialSuccess: {} }, delivered],
  [{}, delivered],
])('200 with %j', async (body, verdict) => {
  await using receiver = await OtlpReceiver.listen();
  await using to = await openTo('otlp-http', receiver);
  receiver.fail({ fault: 'answer', status: 200, body });
  expect(await to.write(['one', 'two'])).toMatchObject(verdict);
});

test('a record has body, severity, attributes of every type and its trace', async () => {
  await using receiver = await OtlpReceiver.listen();
  receiver.authorization = 'Bearer open-sesame';
  await using to = await openTo('otlp-http', receiver, ['--sink-otlp-http-resource', 'service.name=shop'], {
    OUTRIGGER_SINK_OTLP_HTTP_TOKEN: 'open-sesame',
  });
  const trace_id = 'ab'.repeat(16);
  const fields = {
    message: 'hi',
    text: 'a',
    whole: 7,
    large: '$12345678901234567',
    half: 0.5,
    yes: true,
    nothing: null,
    list: [1, 'b'],
    nested: { c: { d: 'e' } },
    trace_id,
    span_id: 'not hex',
  };
  const line = JSON.stringify(fields).replace('"$12345678901234567"', '12345678901234567');
  const records = recordsOf([line, 'plain', '{"a":1}']);
  records.format = 'json';
  records.excuse(1, 'no JSON');
  records.times = { seconds: Float64Array.of(1_700_000_000, Number.NaN, Number.NaN), nanos: Uint32Array.of(5, 0, 0) };
  records.levels = Uint8Array.of(17, 0, 0);
  records.common = { env: 'prod' };
  const batch = to.batch(records);
  expect(await to.sink.write(batch, AbortSignal.timeout(5_000))).toEqual(delivered);
  const [first, second, third] = receiver.stored.map(({ record }) => record as LogRecord);
  const observedTimeUnixNano = `${records.readAt}000000`;
  expect(first).toMatchObject({
    timeUnixNano: '1700000000000000005',
    observedTimeUnixNano,
    severityNumber: 17,
    severityText: 'ERROR',
    body: { stringValue: 'hi' },
    traceId: trace_id,
  });
  expect(attributesOf(first!.attributes)).toEqual({
    'log.record.uid': batch.uid(0),
    env: 'prod',
    span_id: 'not hex',
    text: 'a',
    whole: '7',
    large: '12345678901234567',
    half: 0.5,
    yes: true,
    nothing: undefined,
    list: { values: [{ intValue: '1' }, { stringValue: 'b' }] },
    nested: { values: [{ key: 'c', value: { kvlistValue: { values: [{ key: 'd', value: { stringValue: 'e' } }] } } }] },
  });
  expect(second).toEqual({
    observedTimeUnixNano,
    body: { stringValue: 'plain' },
    attributes: [
      { key: 'log.record.uid', value: { stringValue: batch.uid(1) } },
      { key: 'env', value: { stringValue: 'prod' } },
      { key: 'parse_error', value: { stringValue: 'no JSON' } },
    ],
  });
  expect(third!.body).toEqual({
    kvlistValue: {
      values: [
        { key: 'a', value: { intValue: '1' } },
        { key: 'env', value: { stringValue: 'prod' } },
      ],
    },
  });
  expect(receiver.stored[0]!.meta.resource).toEqual({
    attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }],
  });
});

test('time and level that are members of a line are those of the record', async () => {
  await using receiver = await OtlpReceiver.listen();
  await using to = await openTo('otlp-http', receiver);
  const records = recordsOf(['{"level":"warn","t":1700000000,"msg":"hi"}', '{"msg":"ho"}']);
  records.format = 'json';
  records.sought = {
    levelField: 'level',
    readLevel: (bytes, start, end) => (bytes.toString('latin1', start, end) === 'warn' ? 13 : 0),
    timeField: 't',
    readTime(bytes, start, end, into) {
      into.seconds = Number(bytes.toString('latin1', start, end));
      return true;
    },
  };
  expect(await to.write(records)).toEqual(delivered);
  const [first, second] = receiver.stored.map(({ record }) => record as LogRecord);
  expect(first).toMatchObject({ severityNumber: 13, timeUnixNano: '1700000000000000000', body: { stringValue: 'hi' } });
  expect(second).not.toHaveProperty('timeUnixNano');
});

type Any = { readonly [kind: string]: unknown };

/** What an AnyValue stands for. */
function plain(value: Any): unknown {
  const [kind, content] = Object.entries(value)[0] ?? [];
  if (kind === undefined) return null;
  if (kind === 'intValue') return Number(content);
  if (kind === 'arrayValue') return (content as { values: Any[] }).values.map(plain);
  if (kind === 'kvlistValue') return plainAll((content as { values: { key: string; value: Any }[] }).values);
  return content;
}

const plainAll = (values: readonly { key: string; value: Any }[]) =>
  Object.fromEntries(values.map(({ key, value }) => [key, plain(value)]));

test('holds whatever JSON holds, names of Object included', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('toString', 'constructor', 'message', 'msg', 'log', 'trace_id'));
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue(), { noNullPrototype: true }), (fields) => {
      const records = recordsOf(['{}']);
      records.fields = [fields];
      records.common = { env: 'prod' };
      const into = new ByteWriter(16);
      logRecords(records)(0, into);
      const record = JSON.parse(into.written.toString().slice(0, -1)) as LogRecord;
      const wanted = JSON.parse(JSON.stringify({ ...fields, env: 'prod' })) as Record<string, unknown>;
      const message = ['message', 'msg', 'log'].find((each) => typeof wanted[each] === 'string');
      const { 'log.record.uid': _, ...others } = plainAll(record.attributes as { key: string; value: Any }[]);
      const body = plain(record.body as Any);
      expect(message === undefined ? body : { ...others, [message]: body }).toEqual(wanted);
    }),
    { numRuns: 300, verbose: 1 },
  );
});
