// @outrigger/core/client: asks a sidecar, typed by the routes that it declares. Loads nothing of the server's side.

import type { Route, RouteTypes } from '../admin/route.ts';
import type { standardRoutes } from '../admin/standard-routes.ts';
import type { SidecarEvent } from '../events.ts';
import { type Call, type CallOptions, type ClientOptions, Connection, type Target } from './connection.ts';
import { type EventOptions, followEvents } from './follow-events.ts';
import { type Probe, type ProbeAnswer, type ProbeOptions, parseProbe, probePath } from './probe.ts';
import { type Answered, ClientError, ProblemError, problemError } from './problem-error.ts';

export type { SidecarEvent } from '../events.ts';
export type { Call, CallOptions, ClientOptions, Target } from './connection.ts';
export type { EventOptions } from './follow-events.ts';
export type { Probe, ProbeAnswer, ProbeCheck, ProbeOptions } from './probe.ts';
export { type Answered, ClientError, type ProblemDetails, ProblemError } from './problem-error.ts';

// biome-ignore lint/suspicious/noExplicitAny: a route's state is its sidecar's own business
type Declared = Readonly<Record<string, Route<any>>>;
type Standard = typeof standardRoutes;
type TypesOf<D extends Declared, K> = K extends keyof Standard
  ? Carried<Standard[K]>
  : K extends keyof D
    ? Carried<D[K]>
    : never;
type Carried<R> = R extends { readonly types?: infer T } ? Extract<T, RouteTypes> : never;

/** Requests that are answered by JSON, or by nothing. */
type JsonRequest<D extends Declared> = {
  [K in keyof (Standard & D)]: TypesOf<D, K>['answer'] extends string ? never : K & string;
}[keyof (Standard & D)];
type TextRequest<D extends Declared> = Exclude<keyof (Standard & D) & string, JsonRequest<D> | 'GET /v1/events'>;

type NamesIn<K> = K extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
type PathOf<T extends RouteTypes, K> = T['path'] extends object
  ? T['path']
  : [NamesIn<K>] extends [never]
    ? undefined
    : Readonly<Record<NamesIn<K>, string | number>>;
type Part<Name extends string, T> = [T] extends [undefined]
  ? { readonly [N in Name]?: undefined }
  : object extends T
    ? { readonly [N in Name]?: T }
    : { readonly [N in Name]: T };
type Options<T extends RouteTypes, K> = Part<'path', PathOf<T, K>> &
  Part<'query', T['query']> &
  Part<'body', T['body']> &
  CallOptions;
type Arguments<T> = object extends T ? [options?: T] : [options: T];

export type Client<D extends Declared = Standard> = Disposable & {
  /**
   * What the route answers, `undefined` for 204. Throws a ProblemError for any other status than 2xx, a ClientError when
   * there is no answer. The answer is not checked: the sidecar is trusted to keep to its description.
   */
  request<K extends JsonRequest<D>>(
    request: K,
    ...options: Arguments<Options<TypesOf<D, K>, K>>
  ): Promise<TypesOf<D, K>['answer']>;
  /** The same for routes that answer by text: `GET /metrics`, pages. */
  text<K extends TextRequest<D>>(request: K, ...options: Arguments<Options<TypesOf<D, K>, K>>): Promise<string>;
  /** Any status is an answer and not an error. */
  probe(probe: Probe, options?: ProbeOptions & CallOptions): Promise<ProbeAnswer>;
  /** Whatever else there is to ask; any status is an answer, redirects are not followed. */
  send(call: Call): Promise<Answered>;
  /**
   * Events as they happen, after those that are kept. Connects again whenever the stream ends, after a growing wait, and
   * goes on after the last event; ends when `signal` aborts. Throws when the sidecar refuses for good.
   */
  events(options?: EventOptions): AsyncGenerator<SidecarEvent, void, void>;
  /** The highest of these versions that the sidecar has too. Throws a ClientError NO_COMMON_VERSION. Asks once. */
  version<V extends `v${number}`>(...known: readonly [V, ...V[]]): Promise<V>;
  /** Ends whatever is under way. */
  close(): void;
};

/** `openClient<typeof routes>(target)` knows the role's own routes; without them, those that every sidecar has. */
export function openClient<D extends Declared = Standard>(target: Target, options: ClientOptions = {}): Client<D> {
  const connection = new Connection(target, options);
  let versions: Promise<readonly string[]> | undefined;

  const ask = async (request: string, { path, query, body, ...options }: Input = {}) => {
    const [method, template] = request.split(' ') as [string, string];
    const answered = await connection.call({
      ...options,
      method,
      path: fill(template, path) + search(query),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answered.status < 200 || answered.status > 299) throw problemError(request, answered);
    return answered;
  };
  const json = async (request: string, input?: Input) => {
    const { status, text } = await ask(request, input);
    return status === 204 ? undefined : parse(request, text);
  };

  const client = {
    request: json,
    text: async (request: string, input?: Input) => (await ask(request, input)).text,
    probe: async (probe: Probe, options: ProbeOptions & CallOptions = {}) =>
      parseProbe(await connection.call({ ...options, method: 'GET', path: probePath(probe, options) })),
    send: (call: Call) => connection.call(call),
    events: (options: EventOptions = {}) => followEvents(connection, options),
    async version(...known: readonly string[]) {
      versions ??= json('GET /v1').then(versionsIn, versionsOfRefusal);
      const offered = await versions.catch((error: unknown) => {
        versions = undefined;
        throw error;
      });
      const common = known
        .filter((each) => offered.includes(each))
        .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
      if (common[0]) return common[0];
      throw new ClientError('NO_COMMON_VERSION', `it has ${offered.join(', ') || 'none'}, not ${known.join(', ')}`);
    },
    close: () => connection.close(),
    [Symbol.dispose]: () => connection.close(),
  };
  return client as unknown as Client<D>;
}

type Input = CallOptions & {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};

const fill = (template: string, values: Input['path'] = {}) =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (values[name] === undefined) throw new TypeError(`${template} needs ${name}`);
    return encodeURIComponent(String(values[name]));
  });

/** A list is a key that repeats. */
function search(query: Input['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((each) => each !== undefined)
      .map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(String(each))}`),
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function parse(request: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ClientError('INVALID_JSON', `${request} was not answered by JSON`, { cause: error });
  }
}

function versionsIn(self: unknown): readonly string[] {
  const { apiVersions } = Object(self) as { apiVersions?: unknown };
  return Array.isArray(apiVersions) ? apiVersions.map(String) : [];
}

/** A sidecar that has no v1 any more still says what it has. */
function versionsOfRefusal(error: unknown): readonly string[] {
  if (error instanceof ProblemError && error.code === 'UNKNOWN_VERSION' && Array.isArray(error.problem.versions))
    return error.problem.versions.map(String);
  throw error;
}
