// OTLP over HTTP with JSON, POST /v1/logs. Only 429, 502, 503 and 504 may be tried again; so says the specification.
//
// | of a record   | in the LogRecord                                                              |
// | ------------- | ----------------------------------------------------------------------------- |
// | line          | `body`                                                                        |
// | fields        | the first text of `message`, `msg` and the line's own field: `body`; others: `attributes`. Without one of these, all are the `body` |
// | time          | `timeUnixNano`, where it is known; `observedTimeUnixNano`: when it was read   |
// | level         | `severityNumber`, `severityText`                                              |
// | id            | attribute `log.record.uid`                                                    |
// | trace         | `trace_id` and `span_id` in hex: `traceId`, `spanId`                          |
// | parameters    | attributes of the resource                                                    |

import { map, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { withinArray } from '../encoding/json-array.ts';
import type { HttpAnswer } from './http-answer.ts';
import { authorization, beneath, checkCredentials, credentials, transport } from './http-parameters.ts';
import { HttpPost } from './http-post.ts';
import { poisoned, retry, strange, usualVerdict } from './http-verdict.ts';
import { attributes, logRecords } from './otlp-records.ts';
import { defineSink, delivered, type Verdict } from './sink.ts';

export const otlpHttp = defineSink({
  summary: 'OpenTelemetry, by OTLP over HTTP with JSON',
  parameters: {
    url: url({
      reach: true,
      example: 'http://collector:4318',
      help: 'Where the collector is; /v1/logs is added where there is no path',
    }),
    resource: map(text, { default: [], help: 'Attributes of the resource, such as service.name=billing' }),
    headers: map(text, { default: [], help: 'Headers to add, such as X-Tenant=a' }),
    ...credentials,
    ...transport,
  },

  async open({ url: given, resource, headers: added, ...others }, context) {
    checkCredentials(others, 'sinkOtlpHttp');
    const target = given.pathname === '/' ? beneath(given, '/v1/logs') : given;
    const post = await HttpPost.open(others, [target], { context, prefix: 'sinkOtlpHttp' });
    const about = `{"attributes":[${attributes(resource)}]}`;
    const head = Buffer.from(
      `{"resourceLogs":[{"resource":${about},"scopeLogs":[{"scope":{"name":"outrigger/log-shipper"},"logRecords":[`,
    );
    const tail = Buffer.from(']}]}]}');
    return {
      encoding: logRecords,
      async write(batch, signal) {
        const headers = { ...added, ...authorization(others), 'content-type': 'application/json' };
        return verdictOf(await post.post(target, { body: withinArray(batch, head, tail), signal, headers }), batch);
      },
      close: () => post[Symbol.asyncDispose](),
    };
  },
});

type Success = {
  readonly partialSuccess?: { readonly rejectedLogRecords?: string | number; readonly errorMessage?: string };
};

function verdictOf(answer: HttpAnswer, batch: Pick<Batch, 'records'>): Verdict {
  const { status, said: reason } = answer;
  if (answer.ok) return successOf(answer, batch);
  switch (status) {
    case 429:
    case 502:
    case 503:
    case 504:
      return retry(answer);
    case 400:
      return poisoned(batch, reason);
    case 408:
      return { became: 'dead', reason };
  }
  return status >= 500 ? { became: 'dead', reason } : usualVerdict(answer, batch);
}

function successOf(answer: HttpAnswer, { records }: Pick<Batch, 'records'>): Verdict {
  if (answer.body.length === 0) return delivered;
  const said = answer.json();
  if (typeof said !== 'object' || said === null)
    return strange(answer) ?? retry(answer, `what came is no answer of OTLP: ${answer.said}`);
  const { rejectedLogRecords = 0, errorMessage = '' } = (said as Success).partialSuccess ?? {};
  const rejected = Number(rejectedLogRecords);
  if (!(rejected > 0)) return delivered;
  // Which ones is not said, and they must not be sent again: as dead letters none is lost, and some are there twice.
  return { became: 'dead', reason: `${rejected} of ${records} records are rejected: ${errorMessage}` };
}
