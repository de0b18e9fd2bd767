// HTTP to one sidecar on node:http alone: kept connections, a deadline and a bound for everything, nothing left behind.

import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type Address, connectable } from '../address.ts';
import { type Answered, ClientError, clientError } from './problem-error.ts';

/** `http://127.0.0.1:9400`, also with a path under it; an address; `unix:/run/admin.sock`. */
export type Target = string | URL | Address | { readonly host: string; readonly port: number };

export type ClientOptions = {
  /** Sent as bearer token. A Secret is read for each request, so that it may change. */
  readonly token?: string | { read(): string } | undefined;
  /** Milliseconds until an answer must be complete (default 5000). */
  readonly timeout?: number;
  /** Bytes of an answer (default 8 MiB). */
  readonly maxBody?: number;
  readonly userAgent?: string;
};

export type CallOptions = {
  readonly timeout?: number;
  readonly maxBody?: number;
  readonly signal?: AbortSignal | undefined;
};

export type Call = CallOptions & {
  readonly method: string;
  /** From the target's own path on, with the query: `/v1/status`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

export class Connection {
  readonly #place: RequestOptions;
  readonly #prefix: string;
  readonly #options: Required<Omit<ClientOptions, 'token'>> & Pick<ClientOptions, 'token'>;
  // One free connection is enough for who asks one thing after the other; it does not keep the process alive.
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
  readonly #ended = new AbortController();

  constructor(target: Target, options: ClientOptions) {
    const { prefix, ...place } = placeOf(target);
    this.#place = place;
    this.#prefix = prefix;
    this.#options = { timeout: 5_000, maxBody: 8 * 1024 * 1024, userAgent: 'outrigger', ...options };
  }

  /** The whole answer, whatever its status. Rejects with a ClientError, or with the signal's reason. */
  async call(call: Call): Promise<Answered> {
    const until = performance.now() + (call.timeout ?? this.#options.timeout);
    try {
      return await this.#exchange(call, until);
    } catch (error) {
      if (!(error instanceof Stale)) throw error;
      return this.#exchange(call, until);
    }
  }

  #exchange(call: Call, until: number): Promise<Answered> {
    const { timeout = this.#options.timeout, maxBody = this.#options.maxBody } = call;
    return this.#send(call, (sent, resolve: (answered: Answered) => void, fail) => {
      const timer = setTimeout(
        () => fail(new ClientError('TIMEOUT', `no answer within ${timeout} ms`)),
        Math.max(0, until - performance.now()),
      );
      sent.once('close', () => clearTimeout(timer));
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > maxBody) fail(new ClientError('BODY_TOO_LARGE', `the answer is longer than ${maxBody} bytes`));
        });
        response.on('end', () => {
          clearTimeout(timer);
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text: Buffer.concat(chunks).toString() });
        });
      });
    });
  }

  /** The answer from its head on: whoever gets it reads or destroys it. */
  open(call: Call): Promise<IncomingMessage> {
    const { timeout = this.#options.timeout } = call;
    return this.#send(call, (sent, resolve: (response: IncomingMessage) => void, fail) => {
      const timer = setTimeout(() => fail(new ClientError('TIMEOUT', `no answer within ${timeout} ms`)), timeout);
      sent.once('close', () => clearTimeout(timer));
      sent.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
    });
  }

  #send<T>(
    { method, path, headers, body, signal }: Call,
    handle: (sent: ClientRequest, resolve: (value: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const ends = [signal, this.ended].filter((each) => each !== undefined);
      const over = () => ends.find((each) => each.aborted)?.reason;
      if (ends.some((each) => each.aborted)) return reject(over());
      const sent = request({
        ...this.#place,
        method,
        path: this.#prefix + path,
        headers: { ...this.#headers(body), ...headers },
        // A kept connection may be gone by now, and what changes something must not be sent twice.
        agent: method === 'GET' ? this.#agent : false,
      });
      let answered = false;
      sent.once('response', () => {
        answered = true;
      });
      const fail = (error: Error) => {
        const stale = sent.reusedSocket && !answered && !(error instanceof ClientError);
        reject(stale ? new Stale(error) : clientError(error));
        sent.destroy();
      };
      const abort = () => {
        reject(over());
        sent.destroy();
      };
      for (const each of ends) each.addEventListener('abort', abort);
      sent.on('error', fail);
      sent.once('close', () => {
        for (const each of ends) each.removeEventListener('abort', abort);
      });
      handle(sent, resolve, fail);
      sent.end(body);
    });
  }

  #headers(body: string | undefined): Record<string, string> {
    const { token, userAgent } = this.#options;
    const written = typeof token === 'string' ? token : token?.read();
    return {
      accept: '*/*',
      'user-agent': userAgent,
      ...(written && { authorization: `Bearer ${written}` }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }),
    };
  }

  /** Aborts with CLOSED. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Ends whatever is under way with CLOSED. */
  close(): void {
    this.#ended.abort(new ClientError('CLOSED', 'the client was closed'));
    this.#agent.destroy();
  }
}

/** A kept connection on which nothing came back: most likely the other side had closed it in the meantime. */
class Stale extends ClientError {
  constructor(cause: Error) {
    const { code, message } = clientError(cause);
    super(code, message, { cause });
  }
}

function placeOf(target: Target): RequestOptions & { readonly prefix: string } {
  if (typeof target === 'object' && 'port' in target && !(target instanceof URL)) {
    const { host, port } = connectable(target as Address);
    return { host, port, prefix: '' };
  }
  const written = String(target);
  if (written.startsWith('unix:')) return { socketPath: written.slice('unix:'.length), host: 'localhost', prefix: '' };
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol !== 'http:') throw new TypeError(`A URL such as http://127.0.0.1:9400 is expected, not ${written}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port || 80, prefix: url.pathname.replace(/\/$/, '') };
}
