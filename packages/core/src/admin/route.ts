// A route of the API, declared once: validation, the handler's types, OpenAPI and the typed client follow from it.

import type { IncomingHttpHeaders } from 'node:http';
import type * as z from 'zod/mini';
import type { Reply } from './router.ts';

export type Schema = z.ZodMiniType;
/** Path and query are names with values. */
export type Fields = z.ZodMiniObject;
type Output<T> = T extends Schema ? z.output<T> : undefined;
type Input<T> = T extends Schema ? z.input<T> : undefined;

/** A route's types as its client sees them; `undefined` where nothing is declared. */
export type RouteTypes = {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly answer: unknown;
};

export type RouteInput<P, Q, B> = {
  /** Strings by name unless `path` declares something else. */
  readonly path: P;
  /** Keys that are not declared are left out. */
  readonly query: Q;
  readonly body: B;
  readonly headers: IncomingHttpHeaders;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
};

/** A route that goes, one day. It works as ever; answers say so in their headers, and its use is counted and logged. */
export type Deprecation = {
  /** ISO date. */
  readonly since: string;
  /** ISO date from which on it may be gone. */
  readonly sunset?: string;
  /** What to use instead: `/v2/processes`. */
  readonly successor?: string;
  /** Where this is explained. */
  readonly see?: string;
};

export type MediaType = 'application/json' | 'text/html' | 'text/plain' | 'text/event-stream';

/** What a route declares, beside its schemas. */
type About = {
  /** One sentence, no full stop. */
  readonly summary: string;
  readonly description?: string;
  /** Names the operation in generated clients; made of method and path unless said otherwise. */
  readonly operationId?: string;
  /** Status of success: 200 with a `response` and 204 without one, unless said otherwise. */
  readonly status?: number;
  /** Request headers it reads, by name, and what for. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Errors of its own by status, and when they come. Those that every route has need no mention. */
  readonly problems?: Readonly<Record<number, string>>;
  readonly deprecated?: Deprecation;
};

export type Route<S, T extends RouteTypes = RouteTypes> = About & {
  readonly path?: Fields | undefined;
  readonly query?: Fields | undefined;
  readonly body?: Schema | undefined;
  readonly response?: Schema | undefined;
  readonly media: MediaType;
  readonly handle: (state: S, input: RouteInput<never, never, never>) => unknown;
  /** Never there: carries the types. */
  readonly types?: T;
};

/** Keys are `GET /v1/services/{name}`. */
export type Routes<S> = Readonly<Record<string, Route<S>>>;

/**
 * Declares a route. The handler returns what `response` describes (or a page, with `html`); a Fault it throws becomes
 * problem+json. Values of path and query arrive as text: numbers, booleans and, for keys that repeat, arrays are read as
 * the schema says.
 */
export function route<
  S,
  R extends Schema | undefined = undefined,
  P extends Fields | undefined = undefined,
  Q extends Fields | undefined = undefined,
  B extends Schema | undefined = undefined,
  H extends boolean = false,
>(
  declared: About & {
    readonly path?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly response?: R;
    readonly html?: H;
    readonly handle: (
      state: S,
      input: RouteInput<P extends Schema ? Output<P> : Readonly<Record<string, string>>, Output<Q>, Output<B>>,
    ) => Answer<R, H> | Promise<Answer<R, H>>;
  },
): Route<S, { path: Input<P>; query: Input<Q>; body: Input<B>; answer: H extends true ? string : Output<R> }> {
  const { html, ...rest } = declared;
  return { ...rest, media: html ? 'text/html' : 'application/json' } as never;
}

// biome-ignore lint/suspicious/noConfusingVoidType: without a response, what a handler returns is ignored
type Answer<R, H> = H extends true ? string : R extends Schema ? z.input<R> | Refusal : void;

/** What a handler returns in place of an answer when its problem says more than a Fault can. */
export class Refusal {
  readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }
}

/** Core's own routes whose answer is no JSON: the handler makes the whole reply. */
export function replyRoute<S, Q extends Fields | undefined = undefined>(
  declared: About & {
    readonly media: Exclude<MediaType, 'application/json' | 'text/html'>;
    readonly query?: Q;
    readonly handle: (state: S, input: RouteInput<object, Output<Q>, undefined>) => Reply | Promise<Reply>;
  },
): Route<S, { path: undefined; query: Input<Q>; body: undefined; answer: string }> {
  return declared as never;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** `GET /v1/services/{name}` to its parts. */
export function splitRequest(request: string): { method: Method; path: string } {
  const [method, path] = request.split(' ') as [Method, string];
  return { method, path };
}

/** Status of success. */
export const successOf = ({ status, response, media }: Route<never>): number =>
  status ?? (response || media !== 'application/json' ? 200 : 204);

/** `v1`, `v2`, ... of the given requests, in that order. */
export function versionsOf(requests: Iterable<string>): string[] {
  const found = new Set([...requests].map((request) => Number(/^\S+ \/v(\d+)(?:\/|$)/.exec(request)?.[1])));
  return [...found]
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b)
    .map((number) => `v${number}`);
}
