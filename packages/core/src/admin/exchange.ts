// One request of the admin listener: node:http's objects on the one side, AdminRequest and Reply on the other.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Bodies } from './bodies.ts';
import { linger } from './linger.ts';
import type { AdminRequest, Reply } from './router.ts';

const noParams: Readonly<Record<string, string>> = Object.freeze({});

/** What most requests never ask for is made when they do. */
export class Received implements AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  params = noParams;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #awaitsContinue: boolean;
  readonly #bodies: Bodies;
  #query: URLSearchParams | undefined;
  #gone: AbortController | undefined;

  constructor(incoming: IncomingMessage, response: ServerResponse, { target, awaitsContinue, bodies }: Reading) {
    const mark = target.indexOf('?');
    this.method = incoming.method!;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.search = mark < 0 ? '' : target.slice(mark + 1);
    this.#incoming = incoming;
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    this.#bodies = bodies;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.search);
    return this.#query;
  }

  get headers(): IncomingHttpHeaders {
    return this.#incoming.headers;
  }

  get remoteAddress(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }

  get signal(): AbortSignal {
    if (!this.#gone) {
      const gone = new AbortController();
      this.#gone = gone;
      if (this.#response.destroyed) gone.abort();
      else this.#response.once('close', () => gone.abort());
    }
    return this.#gone.signal;
  }

  text(): Promise<string> {
    // Only now is a client that asked first told to send: what is refused unread is never sent.
    return this.#bodies.read(this.#incoming, () => {
      if (this.#awaitsContinue) this.#response.writeContinue();
    });
  }
}

export type Reading = { readonly target: string; readonly awaitsContinue: boolean; readonly bodies: Bodies };

/** Writes the reply. A function as its body writes and ends it by itself. */
export function send(response: ServerResponse, { status, headers, body = '' }: Reply): void {
  const { req: incoming } = response;
  const list = headersOf(headers);
  // A body nobody read would be taken for the next request's head, or keep the client waiting.
  const unread = !incoming.complete && !incoming.readableEnded;
  if (unread && !headers?.connection) list.push('connection', 'close');
  if (unread || headers?.connection) incoming.socket.destroySoon = lingerSoon;
  if (typeof body !== 'string') {
    response.writeHead(status, list);
    if (incoming.method === 'HEAD') response.end();
    else body(response);
    return;
  }
  if (status !== 204) list.push('content-length', String(Buffer.byteLength(body)));
  response.writeHead(status, list);
  response.end(incoming.method === 'HEAD' ? undefined : body);
}

function headersOf(headers: Reply['headers']): string[] {
  const list = ['x-content-type-options', 'nosniff'];
  if (headers?.['cache-control'] === undefined) list.push('cache-control', 'no-store');
  for (const name in headers) list.push(name, headers[name]!);
  return list;
}

// node:http calls it after the last answer of a connection.
function lingerSoon(this: Socket): void {
  linger(this);
}
