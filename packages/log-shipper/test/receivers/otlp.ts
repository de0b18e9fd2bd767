// OTLP over HTTP with JSON, POST /v1/logs, after the protocol's specification and logs.proto.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

type Json = Readonly<Record<string, unknown>>;
export type LogRecord = {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: { readonly stringValue?: string };
  readonly attributes?: readonly { readonly key: string; readonly value: Json }[];
};

/** A google.rpc.Status, as the specification asks for. */
const refused = (status: number, message: string): Answer => ({ status, body: { code: status, message } });

/** What is written at each place, in lowerCamelCase; anything else is not understood by this strict receiver. */
const shapes: Readonly<Record<string, Readonly<Record<string, (value: unknown) => unknown>>>> = {
  request: { resourceLogs: all('resourceLogs') },
  resourceLogs: { resource: one('resource'), scopeLogs: all('scopeLogs'), schemaUrl: isText },
  resource: { attributes: all('keyValue'), droppedAttributesCount: isCount },
  scopeLogs: { scope: one('scope'), logRecords: all('logRecord'), schemaUrl: isText },
  scope: { name: isText, version: isText, attributes: all('keyValue') },
  logRecord: {
    timeUnixNano: isLong,
    observedTimeUnixNano: isLong,
    severityNumber: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 24,
    severityText: isText,
    body: one('anyValue'),
    attributes: all('keyValue'),
    droppedAttributesCount: isCount,
    flags: isCount,
    traceId: hex(32),
    spanId: hex(16),
    eventName: isText,
  },
  keyValue: { key: isText, value: one('anyValue') },
  anyValue: {
    stringValue: isText,
    boolValue: (value) => typeof value === 'boolean',
    intValue: isLong,
    doubleValue: (value) => typeof value === 'number',
    arrayValue: one('arrayValue'),
    kvlistValue: one('kvlistValue'),
    bytesValue: isText,
  },
  arrayValue: { values: all('anyValue') },
  kvlistValue: { values: all('keyValue') },
};

function isText(value: unknown) {
  return typeof value === 'string';
}
function isCount(value: unknown) {
  return Number.isInteger(value);
}
/** 64 bits are text, since a number of JSON does not hold them. */
function isLong(value: unknown) {
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value);
}
function hex(digits: number) {
  return (value: unknown) => typeof value === 'string' && new RegExp(`^([0-9a-fA-F]{${digits}})?$`).test(value);
}
function one(shape: string) {
  return (value: unknown) => wrong(value, shape) ?? true;
}
function all(shape: string) {
  return (value: unknown) =>
    Array.isArray(value) ? (value.map((each) => wrong(each, shape)).find(Boolean) ?? true) : false;
}

/** What is not as the shape wants it. */
function wrong(value: unknown, shape: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${shape}: an object is expected`;
  if (shape === 'anyValue' && Object.keys(value).length > 1) return 'anyValue: one kind of value is expected';
  for (const [key, each] of Object.entries(value)) {
    const check = shapes[shape]![key];
    if (!check) return `unknown field ${shape}.${key}`;
    const verdict = check(each);
    if (verdict === false) return `${shape}.${key}: ${JSON.stringify(each)} is not of its type`;
    if (typeof verdict === 'string') return verdict;
  }
  return undefined;
}

export class OtlpReceiver extends HttpReceiver {
  /** A header that is asked for. */
  authorization: string | undefined;
  override limit = 64 << 20;

  static async listen(options: ReceiverOptions = {}): Promise<OtlpReceiver> {
    return new OtlpReceiver(options).listen(options);
  }

  lineOf({ record }: Stored): string {
    return String((record as LogRecord).body?.stringValue);
  }

  protected take({ method, path, headers, body }: Asked): Answer {
    if (path !== '/v1/logs') return refused(404, 'not found');
    if (method !== 'POST') return refused(405, 'method not allowed');
    if (this.authorization !== undefined && headers.authorization !== this.authorization)
      return refused(401, 'unauthenticated');
    if (!/^application\/json(;|$)/.test(headers['content-type'] ?? '')) return refused(415, 'unsupported media type');
    let request: unknown;
    try {
      request = JSON.parse(body.toString());
    } catch {
      return refused(400, 'invalid JSON');
    }
    const problem = wrong(request, 'request');
    return problem ? refused(400, problem) : this.#keep(request as Json);
  }

  #keep(request: Json): Answer {
    let rejectedLogRecords = 0;
    let errorMessage = '';
    for (const { resource, scopeLogs } of (request.resourceLogs ?? []) as {
      resource?: Json;
      scopeLogs?: { scope?: Json; logRecords?: LogRecord[] }[];
    }[])
      for (const { scope, logRecords = [] } of scopeLogs ?? [])
        for (const record of logRecords) {
          const reason = this.poison(record);
          if (reason) {
            rejectedLogRecords++;
            errorMessage = reason;
          } else this.store(record, { resource, scope });
        }
    const partialSuccess = { rejectedLogRecords: String(rejectedLogRecords), errorMessage };
    return { status: 200, body: rejectedLogRecords > 0 ? { partialSuccess } : {} };
  }
}

/** Attributes as a plain object. */
export const attributesOf = (attributes: LogRecord['attributes'] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
