// Elasticsearch and OpenSearch, POST /_bulk and /<target>/_bulk, after the reference of the bulk API.

import { type Answer, type Asked, HttpReceiver, type ReceiverOptions, type Stored } from './http-receiver.ts';

type Item = { readonly status: number; readonly error?: { readonly type: string; readonly reason: string } };
type Document = Readonly<Record<string, unknown>>;

const refused = (status: number, type: string, reason: string): Answer => ({
  status,
  body: { error: { root_cause: [{ type, reason }], type, reason }, status },
});
const item = (status: number, type: string, reason: string): Item => ({ status, error: { type, reason } });

export class ElasticsearchReceiver extends HttpReceiver {
  /** The whole header that is asked for, if any: `ApiKey ...`, `Basic ...`, `Bearer ...`. */
  authorization: string | undefined;
  /** Names of this form are data streams, as the templates that come with Elasticsearch make them. */
  dataStreams = /^logs-[^-]+-[^-]+$/;
  /** Answers 429 for an item: a full queue of the shard. */
  busy: (document: Document, id: string | undefined) => boolean = () => false;
  readonly ids = new Set<string>();
  protected override readonly encodings = ['identity', 'gzip'];

  static async listen(options: ReceiverOptions = {}): Promise<ElasticsearchReceiver> {
    return new ElasticsearchReceiver(options).listen(options);
  }

  lineOf({ record }: Stored): string {
    return String((record as Document).message);
  }

  protected take({ method, path, query, headers, body }: Asked): Answer {
    if (this.authorization !== undefined && headers.authorization !== this.authorization)
      return refused(401, 'security_exception', 'unable to authenticate user for REST request [/_bulk]');
    const [, target] = /^(?:\/([^/]+))?\/_bulk$/.exec(path) ?? [];
    if (!path.endsWith('/_bulk')) return refused(400, 'illegal_argument_exception', `no handler found for [${path}]`);
    if (method !== 'POST' && method !== 'PUT') return { status: 405, body: { error: 'Incorrect HTTP method' } };
    const type = headers['content-type'] ?? '';
    if (!/^application\/(x-ndjson|json|vnd\.elasticsearch\+x-ndjson)/.test(type))
      return { status: 406, body: { error: `Content-Type header [${type}] is not supported`, status: 406 } };
    if (body.length === 0) return refused(400, 'parse_exception', 'request body is required');
    if (body.at(-1) !== 0x0a)
      return refused(400, 'illegal_argument_exception', 'The bulk request must be terminated by a newline [\\n]');
    const lines = body.toString().split('\n').slice(0, -1);
    return this.#bulk(lines, target === undefined ? undefined : decodeURIComponent(target), query);
  }

  #bulk(lines: readonly string[], target: string | undefined, query: URLSearchParams): Answer {
    const items: Record<string, Item & Record<string, unknown>>[] = [];
    // The whole request is read before anything of it is carried out.
    const work: (() => void)[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      const action = parsed(lines[at]!);
      const [name, ...others] = Object.keys((action as object | undefined) ?? {});
      if (!name || others.length > 0 || !['create', 'index'].includes(name))
        return refused(
          400,
          'illegal_argument_exception',
          `Malformed action/metadata line [${at + 1}], expected START_OBJECT or END_OBJECT`,
        );
      const { _index = target, _id, ...unknown } = (action as Record<string, Record<string, string>>)[name]!;
      const [parameter] = Object.keys(unknown);
      if (parameter)
        return refused(
          400,
          'illegal_argument_exception',
          `Action/metadata line [${at + 1}] contains an unknown parameter [${parameter}]`,
        );
      if (_index === undefined) return refused(400, 'action_request_validation_exception', 'index is missing;');
      const source = lines[at + 1];
      if (source === undefined || source === '')
        return refused(400, 'illegal_argument_exception', 'The bulk request must have a source line after each action');
      work.push(() => {
        items.push({ [name]: { _index, _id, ...this.#item({ name, index: _index, id: _id }, source) } });
      });
    }
    for (const each of work) each();
    const errors = items.some((each) => Object.values(each)[0]!.status >= 300);
    return { status: 200, body: filtered({ took: 1, errors, items }, query.get('filter_path')) };
  }

  #item({ name, index, id }: { name: string; index: string; id: string | undefined }, source: string): Item {
    if (/[A-Z\s"*\\<|,>/?#]/.test(index) || /^[-_+]/.test(index))
      return item(400, 'invalid_index_name_exception', `Invalid index name [${index}], must be lowercase`);
    const isStream = this.dataStreams.test(index);
    if (isStream && name !== 'create')
      return item(
        400,
        'illegal_argument_exception',
        'only write ops with an op_type of create are allowed in data streams',
      );
    if (id !== undefined && Buffer.byteLength(id) > 512)
      return item(400, 'illegal_argument_exception', 'id is too long, must be no longer than 512 bytes');
    const document = parsed(source);
    if (typeof document !== 'object' || document === null || Array.isArray(document))
      return item(400, 'document_parsing_exception', 'failed to parse');
    const { '@timestamp': time } = document as Document;
    if (isStream && time === undefined)
      return item(400, 'document_parsing_exception', 'data stream timestamp field [@timestamp] is missing');
    if (time !== undefined && !isDate(time))
      return item(400, 'document_parsing_exception', `failed to parse field [@timestamp] of type [date]: [${time}]`);
    if (this.busy(document as Document, id))
      return item(429, 'es_rejected_execution_exception', 'rejected execution of coordinating operation');
    const wrong = this.poison(document);
    if (wrong) return item(400, 'document_parsing_exception', wrong);
    const known = `${index}/${id}`;
    if (id !== undefined && this.ids.has(known))
      return item(409, 'version_conflict_engine_exception', `[${id}]: version conflict, document already exists`);
    if (id !== undefined) this.ids.add(known);
    this.store(document, { index, id });
    return { status: 201 };
  }

  protected override tooLarge(): Answer {
    // Sent by the HTTP layer, which has no body for it.
    return { status: 413 };
  }
}

/** strict_date_optional_time, or milliseconds. */
const isDate = (time: unknown): boolean =>
  Number.isInteger(time) ||
  (typeof time === 'string' && /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?)?$/.test(time));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What `filter_path` leaves of an answer. */
function filtered(answer: Record<string, unknown>, filter: string | null): unknown {
  if (filter === null) return answer;
  const paths = filter.split(',').map((path) => path.split('.'));
  return pruned(answer, paths) ?? {};
}

function pruned(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  // An array is no level of its own.
  if (Array.isArray(value)) {
    const kept = value.map((each) => pruned(each, paths)).filter((each) => each !== undefined);
    return kept.length > 0 ? kept : undefined;
  }
  const kept = Object.entries(value).flatMap(([key, each]) => {
    const rest = paths.filter(([first]) => first === key || first === '*').map(([, ...more]) => more);
    const inner = rest.length > 0 ? pruned(each, rest) : undefined;
    return inner === undefined ? [] : [[key, inner] as const];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
