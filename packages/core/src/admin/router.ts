// Requests to handlers on node:http alone. Frameworks that speak in Request and Response objects load Node's whole fetch
// implementation, 5 MB of private memory in every sidecar of every Pod.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
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
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** The body as JSON; undefined when it is none. Rejects with BodyTooLarge. */
  json(): Promise<unknown>;
};

export type Handler = (request: AdminRequest) => Reply | Promise<Reply>;
type Served = { readonly method: Method; readonly pattern: RegExp; readonly handler: Handler };

export type RouterOptions = {
  /** Answers in place of a route, or undefined to let the request pass. */
  readonly guard: (request: AdminRequest) => Reply | undefined;
  readonly notFound: Handler;
  readonly failed: (error: unknown, request: AdminRequest) => Reply;
};

export class Router {
  readonly #routes: Served[] = [];
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** @param path `/v1/services/{name}` */
  add(method: Method, path: string, handler: Handler): void {
    const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    this.#routes.push({ method, pattern, handler });
  }

  /** The listener of a node:http server. */
  readonly listener = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', search = ''] = (incoming.url ?? '').split(/\?(.*)/s);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const request = {
      method: incoming.method ?? '',
      path,
      params: {},
      query: new URLSearchParams(search),
      headers: incoming.headers,
      remoteAddress: incoming.socket.remoteAddress,
      signal: gone.signal,
      json: () => readJson(incoming),
    };
    let reply: Reply;
    try {
      reply = await this.#answer(request);
    } catch (error) {
      reply = this.#options.failed(error, request);
    }
    send(incoming, response, reply);
  };

  #answer(request: AdminRequest): Reply | Promise<Reply> {
    const refused = this.#options.guard(request);
    if (refused) return refused;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = this.#routes.filter(({ pattern }) => pattern.test(request.path));
    const route = found.find((each) => each.method === method);
    if (route) {
      const params = decode(route.pattern.exec(request.path)?.groups ?? {});
      if (!params) return problem(400, 'INVALID_PATH', 'The path is not validly percent-encoded');
      return route.handler({ ...request, params });
    }
    if (found.length === 0) return this.#options.notFound(request);
    const reply = problem(405, 'METHOD', `${request.method} is not possible here`);
    return { ...reply, headers: { ...reply.headers, allow: found.map((each) => each.method).join(', ') } };
  }
}

function decode(groups: Readonly<Record<string, string>>): Record<string, string> | undefined {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    return undefined;
  }
}

function send(incoming: IncomingMessage, response: ServerResponse, { status, headers, body = '' }: Reply): void {
  // A body nobody read would be taken for the next request's head, or keep the client waiting.
  if (!incoming.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...headers });
  if (typeof body === 'string') response.end(incoming.method === 'HEAD' ? undefined : body);
  else if (incoming.method === 'HEAD') response.end();
  else body(response);
}

const bodyBytes = 1024 * 1024;

export class BodyTooLarge extends Error {
  constructor() {
    super(`At most ${bodyBytes} bytes are accepted`);
    this.name = 'BodyTooLarge';
  }
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyBytes) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}
