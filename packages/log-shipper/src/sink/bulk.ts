// What Elasticsearch and OpenSearch have in common: POST /<index>/_bulk, `create` with an id that is the same whenever a
// record is sent. What is there already is refused with 409: it arrives once, whatever happens on the way.
//
// | of a record   | in the document                                        |
// | ------------- | ------------------------------------------------------ |
// | line          | `message`                                              |
// | fields        | by their names                                         |
// | time          | `@timestamp`, RFC 3339 with up to nine decimals        |
// | level         | `log.level` (`info`), or the field that is named       |
// | id            | `_id`                                                  |

import { list, ParameterProblem, secret, text, url } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import { stampOf } from '../byte-writer.ts';
import type { Encoding } from '../encoding/encoding.ts';
import { jsonRecord } from '../encoding/json.ts';
import { uidWriter } from '../encoding/uid.ts';
import type { HttpAnswer } from './http-answer.ts';
import { authorization, beneath, checkCredentials, credentials, gzipTransport } from './http-parameters.ts';
import { HttpPost, type Post } from './http-post.ts';
import { retry, strange, usualVerdict } from './http-verdict.ts';
import { type Death, defineSink, delivered, type SinkMember, type Verdict } from './sink.ts';

/** What is needed to give a verdict for each item, in their order, and no more. */
const filter = 'errors,items.*.status,items.*.error.type,items.*.error.reason';

/** @param prefix of the sink's parameters. */
export const bulkSink = (summary: string, prefix: string): SinkMember =>
  defineSink({
    summary,
    parameters: {
      url: list(url, {
        reach: true,
        example: 'https://elasticsearch:9200',
        help: 'Where it is; with several, the next one is used while one does not answer',
      }),
      index: text({
        default: 'logs-generic-default',
        pattern: /[^-_+A-Z\s"*\\<|,>/?#][^A-Z\s"*\\<|,>/?#]*/,
        expected: 'a name in lower case such as logs-app-default',
        help: 'Data stream or index that takes the records',
      }),
      pipeline: text({ optional: true, help: 'Ingest pipeline that they pass through' }),
      levelField: text({ default: 'log.level', help: 'Field that holds the level' }),
      apiKey: secret({ optional: true, help: 'API key in its encoded form, instead of a user or a token' }),
      ...credentials,
      ...gzipTransport,
    },

    async open({ url: urls, index, pipeline, levelField, apiKey, ...others }, context) {
      checkCredentials({ ...others, apiKey }, prefix);
      if (others.user !== undefined && !others.password)
        throw new ParameterProblem(`${prefix}Password`, 'is needed with a user');
      const query = { pipeline, filter_path: filter };
      const targets = urls.map((each) => beneath(each, `/${encodeURIComponent(index)}/_bulk`, query));
      const post = await HttpPost.open(others, targets, { context, prefix });
      const nodes = new Nodes(targets, post);
      const headers = () => ({
        'content-type': 'application/x-ndjson',
        ...(apiKey ? { authorization: `ApiKey ${apiKey.read()}` } : authorization(others)),
      });
      return {
        encoding: bulk(levelField),
        async write(batch, signal) {
          const answer = await nodes.post({ body: batch.bytes, signal, headers: headers() });
          return answer.ok ? itemVerdicts(answer, batch) : usualVerdict(answer, batch);
        },
        close: () => post[Symbol.asyncDispose](),
      };
    },
  });

const [action, actionEnd] = [stampOf('{"create":{"_id":"'), stampOf('"}}\n')];

/** An action and a document for each record. Neither can hold a newline: JSON escapes it. */
const bulk =
  (levelField: string): Encoding =>
  (records) => {
    const names = { lineField: 'message', timeField: '@timestamp', levelField, levelFormat: 'name' } as const;
    const write = jsonRecord(records, names);
    const writeUid = uidWriter(records);
    return (index, into) => {
      into.stamp(action);
      writeUid(index, into);
      into.stamp(actionEnd);
      write(index, into);
      into.byte(0x0a);
    };
  };

/** Stays with a node for as long as it answers: nothing is gained by asking all of them. */
class Nodes {
  readonly #targets: readonly URL[];
  readonly #post: HttpPost;
  #at = 0;

  constructor(targets: readonly URL[], post: HttpPost) {
    this.#targets = targets;
    this.#post = post;
  }

  /** Rejects when no node answers. */
  async post(post: Post): Promise<HttpAnswer> {
    for (let left = this.#targets.length; ; ) {
      left--;
      try {
        const answer = await this.#post.post(this.#targets[this.#at]!, post);
        // 502 to 504: what stands before the node cannot reach it, or it is not ready.
        if (answer.status < 502 || answer.status > 504) return answer;
        this.#next();
        if (left === 0) return answer;
      } catch (error) {
        this.#next();
        if (left === 0 || post.signal.aborted) throw error;
      }
    }
  }

  #next(): void {
    this.#at = (this.#at + 1) % this.#targets.length;
  }
}

type Item = { readonly status?: number; readonly error?: { readonly type?: string; readonly reason?: string } };

/** 200 says only that the request was understood. */
function itemVerdicts(answer: HttpAnswer, batch: Pick<Batch, 'records'>): Verdict {
  const { errors, items } = (answer.json() ?? {}) as { errors?: boolean; items?: Record<string, Item>[] };
  if (errors === false) return delivered;
  if (errors !== true || !Array.isArray(items) || items.length !== batch.records)
    return strange(answer) ?? retry(answer, `what came is no answer to a bulk request: ${answer.said}`);
  const again: number[] = [];
  const dead: Death[] = [];
  let first: string | undefined;
  for (const [index, item] of items.entries()) {
    const { status = 0, error } = Object.values(item)[0] ?? {};
    // 409: it was sent before, and has arrived.
    if ((status >= 200 && status < 300) || status === 409) continue;
    const reason = `${status} ${error?.type ?? ''}: ${error?.reason ?? ''}`.slice(0, 500);
    first ??= reason;
    if (isPassing(status, error?.type)) again.push(index);
    else dead.push({ index, reason });
  }
  if (first === undefined) return delivered;
  if (again.length === batch.records) return retry(answer, first);
  return { became: 'partly', reason: first, retry: again, dead, after: answer.retryAfter };
}

/** What has nothing to do with the document: queues, disks, rights. */
const isPassing = (status: number, type = ''): boolean =>
  status === 429 ||
  status === 401 ||
  status === 403 ||
  status === 408 ||
  status >= 500 ||
  type === 'cluster_block_exception';
