// Datadog, POST /api/v2/logs: at most 5 MB and 1000 logs at once, a megabyte each.
//
// | of a record   | in Datadog                                                                |
// | ------------- | ------------------------------------------------------------------------- |
// | line          | `message`                                                                 |
// | fields        | attributes by their names                                                 |
// | time          | `timestamp` in milliseconds. Datadog takes 18 hours ago to two hours ahead: what is beyond |
// |               | (after an outage) has the time of reading there, and its own in `original_timestamp` |
// | level         | `status` (`info`)                                                         |
// | id            | `log.record.uid`                                                          |
// | parameters    | `service`, `ddsource`, `ddtags`, `hostname`; they win over such fields    |

import { map, secret, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { jsonRecord } from '../encoding/json.ts';
import { withinArray } from '../encoding/json-array.ts';
import type { Fields } from '../records.ts';
import { beneath, transport } from './http-parameters.ts';
import { HttpPost } from './http-post.ts';
import { usualVerdict } from './http-verdict.ts';
import { type Death, defineSink } from './sink.ts';

const [head, tail] = [Buffer.from('['), Buffer.from(']')];
/** Of a log. What is longer is cut by Datadog without a word. */
const longest = 1_000_000;
/** Seconds: half an hour less than Datadog allows, for what waits to be sent. */
const [longestAgo, longestAhead] = [17.5 * 3600, 1.5 * 3600];

export const datadog = defineSink({
  summary: 'Datadog',
  parameters: {
    url: url({
      default: 'https://http-intake.logs.datadoghq.com',
      reach: true,
      help: 'Intake of the site, such as https://http-intake.logs.datadoghq.eu, or a proxy before it',
    }),
    apiKey: secret({ help: 'API key' }),
    service: text({ optional: true, help: 'Name of the service' }),
    source: text({ optional: true, help: 'What writes the logs, such as nginx: chooses the pipeline (ddsource)' }),
    tags: map(text, { default: [], help: 'Tags such as env=prod (ddtags)' }),
    hostname: text({ optional: true, help: 'Host that the logs come from' }),
    ...transport,
  },

  async open({ url: given, apiKey, service, source, tags, hostname, ...others }, context) {
    const target = beneath(given, '/api/v2/logs');
    const post = await HttpPost.open(others, [target], { context, prefix: 'sinkDatadog' });
    const ddtags = Object.entries(tags)
      .map((pair) => pair.join(':'))
      .join(',');
    const constants = { service, ddsource: source, ddtags: ddtags || undefined, hostname };
    return {
      encoding: logs(Object.fromEntries(Object.entries(constants).filter(([, value]) => value !== undefined))),
      limits: { bytes: 5_000_000 - head.length - tail.length, records: 1000 },
      async write(batch, signal) {
        const headers = { 'content-type': 'application/json', 'dd-api-key': apiKey.read() };
        const answer = await post.post(target, { body: withinArray(batch, head, tail), signal, headers });
        const verdict = usualVerdict(answer, batch);
        const dead = verdict.became === 'delivered' ? tooLong(batch) : [];
        return dead.length > 0 ? { became: 'partly', reason: dead[0]!.reason, retry: [], dead } : verdict;
      },
      close: () => post[Symbol.asyncDispose](),
    };
  },
});

const names = {
  lineField: 'message',
  timeField: 'timestamp',
  timeFormat: 'unix-ms',
  levelField: 'status',
  levelFormat: 'name',
  uidField: 'log.record.uid',
} as const;
const comma = 0x2c;

const logs =
  (constants: Fields): Encoding =>
  (records) => {
    const common = { ...records.common, ...constants };
    records.common = common;
    const write = jsonRecord(records, names);
    const now = records.readAt / 1000;
    let writeLate: typeof write | undefined;
    return (index, into) => {
      const { at } = into;
      write(index, into);
      // Known now: it may be a member of what was written.
      const seconds = records.times?.seconds[index] ?? Number.NaN;
      if (seconds < now - longestAgo || seconds > now + longestAhead) {
        into.at = at;
        records.common = { ...common, timestamp: records.readAt };
        writeLate ??= jsonRecord(records, { ...names, timeField: 'original_timestamp', timeFormat: 'rfc3339' });
        writeLate(index, into);
        records.common = common;
      }
      into.byte(comma);
    };
  };

/** Kept whole as dead letters: what Datadog has of them is their beginning. */
function tooLong({ offsets, records }: Batch): Death[] {
  const dead: Death[] = [];
  for (let index = 0; index < records; index++)
    if (offsets[index + 1]! - offsets[index]! - 1 > longest)
      dead.push({ index, reason: 'larger than 1 MB: Datadog keeps the beginning of it only' });
  return dead;
}
