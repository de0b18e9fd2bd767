// Splunk's HTTP Event Collector. 200 says that what was sent is valid, before the indexing pipeline has seen it; with
// indexer acknowledgement a batch counts as delivered once it is written there.
//
// | of a record   | mode event                                              | mode raw  |
// | ------------- | ------------------------------------------------------- | --------- |
// | line          | `event.log` (the field of --line-field)                 | the line  |
// | fields        | `event`, by their names                                 | -         |
// | time          | `time`, seconds with decimals                           | as Splunk finds it in the line |
// | level         | `fields.level` (`info`)                                 | -         |
// | id            | `fields.log_record_uid`                                 | -         |
// | parameters    | `index`, `source` (default: the path of the file), `sourcetype`, `host` | the same, for each request; no default |

import { randomUUID } from 'node:crypto';
import { boolean, choice, duration, secret, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { line } from '../encoding/line.ts';
import { Acknowledgements } from './hec-acknowledgements.ts';
import { events } from './hec-events.ts';
import type { HttpAnswer } from './http-answer.ts';
import { beneath, gzipTransport } from './http-parameters.ts';
import { HttpPost } from './http-post.ts';
import { poisoned, retry, strange, usualVerdict } from './http-verdict.ts';
import { defineSink, delivered, type Verdict } from './sink.ts';

export const splunkHec = defineSink({
  summary: 'Splunk, by its HTTP Event Collector',
  parameters: {
    url: url({ reach: true, example: 'https://splunk:8088', help: 'Where the collector is' }),
    token: secret({ help: 'Token of the collector' }),
    mode: choice(['event', 'raw'], { default: 'event', help: 'Events with time and fields, or lines as they were' }),
    index: text({ optional: true, help: "Index, instead of the token's own" }),
    source: text({ optional: true, help: 'Source of the events, instead of the path of their file' }),
    sourcetype: text({ optional: true, help: 'Source type, which says how Splunk reads them' }),
    host: text({ optional: true, help: 'Host that they come from' }),
    acknowledge: boolean({
      default: 'false',
      help: 'Wait until the indexers have each batch; the token must have indexer acknowledgement',
    }),
    acknowledgeTimeout: duration({
      default: '5m',
      min: '100ms',
      help: 'For how long to wait for that before a batch is sent again',
    }),
    ...gzipTransport,
  },

  async open({ url: given, token, mode, acknowledge, acknowledgeTimeout, ...others }, context) {
    const { index, source, sourcetype, host } = others;
    const base = new URL(given);
    base.pathname = base.pathname.replace(/\/services\/collector(\/.*)?$/, '');
    const constants = { host, source, sourcetype, index };
    const target =
      mode === 'raw' ? beneath(base, '/services/collector/raw', constants) : beneath(base, '/services/collector/event');
    const post = await HttpPost.open(others, [target], { context, prefix: 'sinkSplunkHec' });
    const acknowledgements = new Acknowledgements(post, beneath(base, '/services/collector/ack'), acknowledgeTimeout);
    // One for the life of the process: acknowledgements are asked for by it.
    const channel = randomUUID();
    let needsChannel = acknowledge || mode === 'raw';
    return {
      encoding: mode === 'raw' ? line : events(constants),
      // What Splunk Cloud takes.
      limits: { bytes: 1_000_000 },
      async write(batch, signal) {
        const headers = {
          authorization: `Splunk ${token.read()}`,
          ...(needsChannel && { 'x-splunk-request-channel': channel }),
        };
        const type = mode === 'raw' ? 'text/plain; charset=utf-8' : 'application/json';
        const answer = await post.post(target, {
          body: batch.bytes,
          signal,
          headers: { ...headers, 'content-type': type },
        });
        const { ackId, ...reply } = replyOf(answer);
        if (reply.code === 10 && !needsChannel) {
          // The token acknowledges, whether we want that or not.
          needsChannel = true;
          return { became: 'retry', reason: answer.said, after: 0 };
        }
        const verdict = verdictOf(answer, reply, batch);
        // One that nobody asks for stays, until the channel has no room for more.
        if (verdict.became !== 'delivered' || ackId === undefined) return verdict;
        return acknowledgements.await(ackId, { channel, headers, signal });
      },
      close: () => post[Symbol.asyncDispose](),
    };
  },
});

type Reply = { readonly code?: number; readonly ackId?: number; readonly 'invalid-event-number'?: number };
const replyOf = (answer: HttpAnswer): Reply => Object(answer.json()) as Reply;

/** Success, and success with a warning that a queue is nearly full. */
const taken = [0, 24, 25];
/** About the token, the channel and the index, which are the same for all records. */
const configuration = [1, 2, 3, 4, 7, 10, 11, 14, 16, 21, 22];
/** About single events. */
const data = [5, 6, 12, 13, 15];

function verdictOf(answer: HttpAnswer, reply: Reply, batch: Batch): Verdict {
  const { code = -1 } = reply;
  const { said: reason } = answer;
  if (answer.ok)
    return taken.includes(code) ? delivered : (strange(answer) ?? retry(answer, `no answer of a collector: ${reason}`));
  if (answer.status >= 500 || answer.status === 429) return usualVerdict(answer, batch);
  if (configuration.includes(code)) return { became: 'paused', reason };
  if (!data.includes(code)) return usualVerdict(answer, batch);
  const index = reply['invalid-event-number'];
  if (batch.records === 1 || index === undefined || !(index >= 0 && index < batch.records))
    return poisoned(batch, reason);
  // None of them was taken: the first that is wrong is named, and the others are sent without it.
  const others = Array.from({ length: batch.records }, (_, at) => at).filter((at) => at !== index);
  return { became: 'partly', reason, retry: others, dead: [{ index, reason }] };
}
