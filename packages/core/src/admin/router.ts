// Requests to handlers. Frameworks that speak in Request and Response objects load Node's whole fetch implementation, 5 MB
// of private memory in every sidecar of every Pod.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { BodyRefused } from './bodies.ts';
import { problem } from './problem.ts';
import type { Method } from './route.ts';

export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, or a function that writes the body itself and ends it. */
  readonly body?: string | ((response: ServerResponse) => void);
};

export type AdminRequest = {
  readonly method: string;
  readonly path: string;
  /** What follows the question mark; '' when nothing does. */
  readonly search: string;
  /** Of the path, decoded; the router sets them. */
  params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** The body. Rejects with BodyRefused. */
  text(): Promise<string>;
};

export type Handler = (request: AdminRequest) => Reply | Promise<Reply>;
type Handlers = { readonly [method in Method]?: Handler };
type Pattern = { readonly pattern: RegExp; readonly handlers: Handlers };

export type RouterOptions = {
  /** Answers in place of a route, or undefined to let the request pass. */
  readonly guard: (request: AdminRequest) => Reply | undefined;
  readonly notFound: (request: AdminRequest) => Reply;
  readonly failed: (error: unknown, request: AdminRequest) => Reply;
};

export class Router {
  readonly #exact = new Map<string, Handlers>();
  readonly #patterns = new Map<string, Pattern>();
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** @param path `/v1/services/{name}` */
  add(method: Method, path: string, handler: Handler): void {
    if (!path.includes('{')) {
      this.#exact.set(path, { ...this.#exact.get(path), [method]: handler });
      return;
    }
    const before = this.#patterns.get(path);
    const pattern =
      before?.pattern ?? new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    this.#patterns.set(path, { pattern, handlers: { ...before?.handlers, [method]: handler } });
  }

  /** Never throws nor rejects: failures become problem+json. What can be said at once is no promise. */
  answer(request: AdminRequest): Reply | Promise<Reply> {
    try {
      const reply = this.#options.guard(request) ?? this.#route(request);
      return reply instanceof Promise ? reply.catch((error) => this.failed(error, request)) : reply;
    } catch (error) {
      return this.failed(error, request);
    }
  }

  failed(error: unknown, request: AdminRequest): Reply {
    // Nobody is there to be answered, and anybody could fill the log with it.
    if (request.signal.aborted) return gone;
    if (error instanceof BodyRefused) return error.reply;
    return this.#options.failed(error, request);
  }

  #route(request: AdminRequest): Reply | Promise<Reply> {
    const exact = this.#exact.get(request.path);
    if (exact) return dispatch(exact, request);
    for (const { pattern, handlers } of this.#patterns.values()) {
      const found = pattern.exec(request.path);
      if (!found) continue;
      const params = decode(found.groups ?? {});
      if (!params) return problem(400, 'INVALID_PATH', 'The path is not validly percent-encoded');
      request.params = params;
      return dispatch(handlers, request);
    }
    return this.#options.notFound(request);
  }
}

function dispatch(handlers: Handlers, request: AdminRequest): Reply | Promise<Reply> {
  const { method } = request;
  const handler = method === 'HEAD' ? handlers.GET : Object.hasOwn(handlers, method) && handlers[method as Method];
  if (handler) return handler(request);
  const allowed = Object.keys(handlers).flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each]));
  return problem(405, 'METHOD', `${method} is not possible here`, {}, { allow: allowed.join(', ') });
}

/** Undefined when it is not UTF-8, or holds a NUL, which no name has and which ends a path for the kernel. */
function decode(groups: Readonly<Record<string, string>>): Record<string, string> | undefined {
  try {
    const decoded = Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]);
    return decoded.some(([, value]) => value!.includes('\0')) ? undefined : Object.fromEntries(decoded);
  } catch {
    return undefined;
  }
}

const gone = problem(400, 'CLIENT_GONE', 'The client left before it was answered');
