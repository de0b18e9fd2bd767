// Grafana Loki, POST /loki/api/v1/push. A 400 may have stored part of the request: it says what it has not.
//
// | of a record   | in Loki                                                                       |
// | ------------- | ----------------------------------------------------------------------------- |
// | line          | the line                                                                      |
// | fields        | the line, as a JSON object                                                    |
// | time          | the timestamp, in nanoseconds; what is only known to the millisecond or worse is |
// |               | completed by the record's place in its file: Loki keeps one of two entries that are the same |
// | level         | structured metadata `level` (`info`)                                          |
// | id            | structured metadata `log_record_uid`                                          |
// | added fields  | of a line: structured metadata by their names                                 |
// | parameters    | labels of the one stream                                                      |

import { map, ParameterProblem, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import type { HttpAnswer } from './http-answer.ts';
import { authorization, beneath, checkCredentials, credentials, transport } from './http-parameters.ts';
import { HttpPost } from './http-post.ts';
import { poisoned, usualVerdict } from './http-verdict.ts';
import { entries, inOrder, readEntry } from './loki-entries.ts';
import { refusedEntries } from './loki-refusals.ts';
import { defineSink, type Verdict } from './sink.ts';

const label = /[a-zA-Z_][a-zA-Z0-9_]*/;

export const loki = defineSink({
  summary: 'Grafana Loki',
  parameters: {
    url: url({ reach: true, example: 'http://loki:3100', help: 'Where it is' }),
    labels: map(text, {
      default: ['job=outrigger'],
      help: 'Labels of the stream; keep them few, and the same for all that is shipped from here',
    }),
    tenant: text({ optional: true, help: 'Tenant (X-Scope-OrgID)' }),
    ...credentials,
    ...transport,
  },

  async open({ url: given, labels, tenant, ...others }, context) {
    const wrong = Object.keys(labels).find((name) => !new RegExp(`^${label.source}$`).test(name));
    if (wrong !== undefined)
      throw new ParameterProblem(
        'sinkLokiLabels',
        `"${wrong}": letters, digits and _ are expected of the name of a label`,
      );
    checkCredentials(others, 'sinkLoki');
    const target = beneath(given, '/loki/api/v1/push');
    const post = await HttpPost.open(others, [target], { context, prefix: 'sinkLoki' });
    const head = Buffer.from(`{"streams":[{"stream":${JSON.stringify(labels)},"values":[`);
    const tail = Buffer.from(']}]}');
    return {
      encoding: entries,
      limits: { bytes: 3 << 20 },
      async write(batch, signal) {
        const headers = {
          'content-type': 'application/json',
          ...(tenant !== undefined && { 'x-scope-orgid': tenant }),
          ...authorization(others),
        };
        const answer = await post.post(target, { body: inOrder(batch, head, tail), signal, headers });
        return verdictOf(answer, batch);
      },
      close: () => post[Symbol.asyncDispose](),
    };
  },
});

/** About labels and what Loki is set up to take, not about entries. */
const configuration =
  /parsing labels|label (name|value)|label pair|required labels|duplicate label|ingestion blocked|feature is disallowed|structured metadata too many/i;

function verdictOf(answer: HttpAnswer, batch: Batch): Verdict {
  const { status, said: reason } = answer;
  // As good as 2xx to a client that does not look: nothing was stored.
  if (status === 260 || (status === 400 && configuration.test(reason))) return { became: 'paused', reason };
  if (status !== 400) return usualVerdict(answer, batch);
  const read = (index: number) => readEntry(batch.bytes.subarray(batch.offsets[index], batch.offsets[index + 1]! - 1));
  const dead = refusedEntries(
    answer.body.toString(),
    Array.from({ length: batch.records }, (_, index) => read(index)),
  );
  // The others are stored. Where none is named, halves are sent: what is stored already is recognised by its time and text.
  return dead.length > 0 ? { became: 'partly', reason, retry: [], dead } : poisoned(batch, reason);
}
