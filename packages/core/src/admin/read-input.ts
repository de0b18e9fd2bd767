// A request's path, query and body as a route declares them, or the reply that says what is wrong with them.

import type { IncomingHttpHeaders } from 'node:http';
import { findingsOf } from '../parameters/structure-problems.ts';
import { problem } from './problem.ts';
import type { Fields, Route, RouteInput, Schema } from './route.ts';
import type { AdminRequest, Reply } from './router.ts';

type Finding = { readonly in: string; readonly path: string; readonly message: string };
type Read = (request: AdminRequest) => Promise<RouteInput<unknown, unknown, unknown> | Reply>;

/** Looks at the schemas once, not at each request. */
export function inputReader({ path, query, body }: Pick<Route<never>, 'path' | 'query' | 'body'>): Read {
  const readPath = path && textReader(path);
  const readQuery = query && textReader(query);
  return async (request) => {
    const findings: Finding[] = [];
    const validate = (part: string, schema: Schema | undefined, given: unknown) => {
      const parsed = schema?.safeParse(given);
      if (parsed?.success === false)
        for (const { path, message, value } of findingsOf(parsed.error, schema!, given)) {
          const wrong = value === undefined ? message : `${shown(value)} is given: ${message}`;
          findings.push({ in: part, path: path.join('.'), message: wrong });
        }
      return parsed?.data;
    };
    const { headers, signal, params } = request;
    const input = {
      path: path
        ? validate(
            'path',
            path,
            readPath?.((name) => [params[name] ?? []].flat()),
          )
        : params,
      query: validate(
        'query',
        query,
        readQuery?.((name) => request.query.getAll(name)),
      ),
      body: undefined as unknown,
      headers,
      signal,
    };
    if (body) {
      const given = await readBody(request);
      if ('status' in given) return given;
      input.body = validate('body', body, given.value);
    }
    if (findings.length === 0) return input;
    const parts = [...new Set(findings.map((each) => each.in))].join(' and the ');
    return problem(400, 'INVALID_REQUEST', `The ${parts} of the request cannot be taken`, { errors: findings });
  };
}

async function readBody(request: AdminRequest): Promise<{ readonly value: unknown } | Reply> {
  if (!hasBody(request.headers)) return { value: undefined };
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type))
    return problem(415, 'MEDIA_TYPE', `A body of application/json is expected, not ${type || 'one without a type'}`);
  const text = await request.text();
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return problem(400, 'INVALID_JSON', `The body is not JSON: ${(error as Error).message}`);
  }
}

const hasBody = (headers: IncomingHttpHeaders) =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

type Texts = (name: string) => readonly string[];
type Definition = {
  readonly type: string;
  readonly innerType?: AnySchema;
  readonly element?: AnySchema;
  readonly options?: readonly AnySchema[];
  readonly values?: readonly unknown[];
};
type AnySchema = { readonly def: Definition };

/** Names that the schema does not have are never looked at: whatever else is in a query is not for this route. */
function textReader(schema: Fields): (texts: Texts) => Record<string, unknown> {
  const readers = Object.entries(schema.def.shape).map(
    ([name, each]) => [name, valueReader(each as unknown as AnySchema)] as const,
  );
  return (texts) => {
    const values: Record<string, unknown> = {};
    for (const [name, read] of readers) {
      const given = texts(name);
      if (given.length > 0) values[name] = read(given);
    }
    return values;
  };
}

/** One that is given several times stays an array where one value is declared, and so is reported. */
function valueReader({ def }: AnySchema): (given: readonly string[]) => unknown {
  if (def.innerType) return valueReader(def.innerType);
  if (def.element) {
    const element = valueReader(def.element);
    return (given) => given.map((each) => element([each]));
  }
  if (def.options) {
    const readers = def.options.map(valueReader);
    return (given) => readers.map((read) => read(given)).find((value) => typeof value !== 'string') ?? given[0];
  }
  const type = typeof def.values?.[0] === 'number' ? 'number' : def.type;
  const read = texts[type] ?? ((text) => text);
  return (given) => (given.length === 1 ? read(given[0]!) : given);
}

// What cannot be read stays text: the schema says what it expects instead.
const texts: Readonly<Record<string, (text: string) => unknown>> = {
  number: (text) => (/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text),
  boolean: (text) => (/^(?:true|1|)$/.test(text) ? true : /^(?:false|0)$/.test(text) ? false : text),
};

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
