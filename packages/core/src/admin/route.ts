// A route of the API, declared once: validation, the handler's types and OpenAPI follow from it.

import type * as z from 'zod/mini';

type Schema = z.ZodMiniType;
type Output<T> = T extends Schema ? z.output<T> : undefined;

export type RouteInput<P, Q, B> = {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
  readonly signal: AbortSignal;
};

export type Route<S> = {
  readonly summary: string;
  readonly path?: Schema | undefined;
  readonly query?: Schema | undefined;
  readonly body?: Schema | undefined;
  readonly response?: Schema | undefined;
  readonly html: boolean;
  readonly handle: (state: S, input: RouteInput<never, never, never>) => unknown;
};

/** Keys are `GET /v1/services/{name}`. */
export type Routes<S> = Readonly<Record<string, Route<S>>>;

/** Declares a route. The handler returns what `response` describes (or a page, with `html`); a Fault it throws becomes problem+json. */
export function route<
  S,
  R extends Schema | undefined = undefined,
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
>(declared: {
  readonly summary: string;
  readonly path?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly response?: R;
  readonly html?: boolean;
  readonly handle: (
    state: S,
    input: RouteInput<Output<P>, Output<Q>, Output<B>>,
  ) => (R extends Schema ? z.input<R> : unknown) | Promise<R extends Schema ? z.input<R> : unknown>;
}): Route<S> {
  return { ...declared, html: declared.html ?? false } as unknown as Route<S>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** `GET /v1/services/{name}` to its parts. */
export function splitRequest(request: string): { method: Method; path: string } {
  const [method, path] = request.split(' ') as [Method, string];
  return { method, path };
}
