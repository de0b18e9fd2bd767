// An HTTP server that stands for a vendor: a subclass rejects what the vendor rejects and keeps what it would have stored.
// It can be told to fail in every way that the network, a proxy in between or the vendor can.

import { once } from 'node:events';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { untilAll } from '../until-all.ts';

const unpack = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Decompressed. */
  readonly body: Buffer;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless a string or bytes. */
  readonly body?: unknown;
};

/** One record as it was stored, with what the vendor would know of it beside its content. */
export type Stored = { readonly record: unknown; readonly meta: Readonly<Record<string, unknown>> };

/** What goes wrong instead of the answer, or with it. */
export type Fault =
  /** Nothing is stored. `chunked` sends the body in pieces without a length. */
  | ({ readonly fault: 'answer'; readonly chunked?: boolean } & Answer)
  /** As `answer`, and everything is stored. */
  | ({ readonly fault: 'answer after storing' } & Answer)
  /** The answer comes before the body is read, as from a proxy that sees the length of it. */
  | ({ readonly fault: 'answer early' } & Answer)
  /** Reset once so many bytes of the body have come. */
  | { readonly fault: 'reset'; readonly after?: number }
  /** The connection is ended in order, without an answer. */
  | { readonly fault: 'half close' }
  | { readonly fault: 'hang up after storing' }
  | { readonly fault: 'never answer' }
  | { readonly fault: 'never read' }
  /** Half of the answer, and then nothing. */
  | { readonly fault: 'stall in the answer' }
  | { readonly fault: 'huge answer'; readonly status?: number; readonly bytes?: number; readonly chunked?: boolean }
  | { readonly fault: 'not HTTP' }
  /** Informational answers come before the proper one. */
  | { readonly fault: 'continue first' }
  /** A pause after each piece of the body, for so many bytes of it. */
  | { readonly fault: 'slow read'; readonly milliseconds?: number; readonly bytes?: number };

export type ReceiverOptions = {
  readonly port?: number;
  /** Where to listen: on loopback, unless something else has to reach it. */
  readonly host?: string;
  readonly tls?: SecureContextOptions & Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'>;
};

export type Request = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
  readonly port: number | undefined;
  readonly peer: string | undefined;
};

export abstract class HttpReceiver implements AsyncDisposable {
  /** In the order of storing; what is sent twice is here twice, unless the vendor recognises it. */
  readonly stored: Stored[] = [];
  readonly requests: Request[] = [];
  /** The faults that were played, in order. */
  readonly failed: Fault['fault'][] = [];
  connections = 0;
  /** Bytes of a body, decompressed, above which the answer is 413. */
  limit = Number.POSITIVE_INFINITY;
  /** Content-Encoding that the vendor understands. */
  protected readonly encodings: readonly string[] = ['identity', 'gzip', 'zstd'];
  /** Records that the vendor does not like, by content: the reason. */
  poison: (record: unknown) => string | undefined = () => undefined;
  readonly #faults: Fault[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: ReturnType<typeof createPlain> | ReturnType<typeof createSecure>;
  readonly #secure: boolean;
  readonly #url: string;

  protected constructor({ tls }: ReceiverOptions = {}, path = '') {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = tls ? createSecure(tls, serve) : createPlain(serve);
    this.#secure = tls !== undefined;
    this.#url = path;
    this.#server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  async listen({ port = 0, host = '127.0.0.1' }: ReceiverOptions = {}): Promise<this> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What a sink is configured with. */
  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://127.0.0.1:${this.port}${this.#url}`;
  }

  /** For the next requests, one after the other. */
  fail(fault: Fault, times = 1): this {
    for (let each = 0; each < times; each++) this.#faults.push(fault);
    return this;
  }

  /** From now on the server shows another certificate. */
  rotate(tls: SecureContextOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls);
    this.hangUp();
  }

  /** Every connection, also those that are idle. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The message of each stored record, in order. */
  get lines(): string[] {
    return this.stored.map((stored) => this.lineOf(stored));
  }

  hasAll(lines: readonly string[], deadline = 15_000): Promise<void> {
    return untilAll(lines, () => this.lines, deadline);
  }

  /** What the vendor makes of a whole request; what it takes goes to `store`. */
  protected abstract take(asked: Asked): Answer;
  /** The text of a stored record. */
  abstract lineOf(stored: Stored): string;

  protected store(record: unknown, meta: Stored['meta'] = {}): void {
    this.stored.push({ record, meta });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '/', headers, socket } = request;
    const { pathname: path, searchParams: query } = new URL(url, 'http://receiver');
    if (path.startsWith('/-/')) return this.#control(request, response, path);
    // Questions beside the pushing of records are answered even while that fails.
    const fault = this.isPush(path) ? this.#faults.shift() : undefined;
    if (fault) this.failed.push(fault.fault);
    try {
      const raw = await read(request, response, fault);
      if (raw === undefined) return;
      this.requests.push({ path: url, headers, bytes: raw.length, port: socket.remotePort, peer: peerOf(socket) });
      const answer = () => this.#judge({ method: request.method ?? '', path, query, headers, body: raw });
      await play(fault, response, answer);
    } catch (error) {
      // Hanging up in the middle is the client's right, and what some faults are about.
      if (!socket.destroyed && !response.headersSent) respond(response, { status: 500, body: String(error) });
    }
  }

  /** Whether faults are for this path. */
  protected isPush(_path: string): boolean {
    return true;
  }

  async #judge(asked: Asked): Promise<Answer> {
    const encoding = asked.headers['content-encoding'] ?? 'identity';
    if (!this.encodings.includes(encoding)) return { status: 415, body: `Unknown encoding ${encoding}` };
    let body = asked.body;
    try {
      if (encoding !== 'identity') body = await unpack[encoding as keyof typeof unpack](body);
    } catch {
      return { status: 400, body: `The body is no ${encoding}` };
    }
    if (body.length > this.limit) return this.tooLarge(body.length);
    return this.take({ ...asked, body });
  }

  protected tooLarge(bytes: number): Answer {
    return { status: 413, body: `Request body of ${bytes} bytes is larger than ${this.limit}` };
  }

  /** For a receiver in a process of its own: what it has, and how it is to fail. */
  async #control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const given = (await collect(request)).toString();
    if (path === '/-/fail') {
      const { times, ...fault } = JSON.parse(given) as Fault & { times?: number };
      this.fail(fault as Fault, times);
      return respond(response, { status: 204 });
    }
    if (path === '/-/limit') this.limit = JSON.parse(given) as number;
    const { lines, requests, failed, connections } = this;
    respond(response, { status: 200, body: { lines, requests: requests.length, failed, connections } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.hangUp();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

const peerOf = (socket: Socket): string | undefined =>
  'getPeerCertificate' in socket
    ? (socket as Socket & { getPeerCertificate(): { subject?: { CN?: string } } }).getPeerCertificate().subject?.CN
    : undefined;

/** The body as it came; undefined when the fault has dealt with the connection. */
async function read(request: IncomingMessage, response: ServerResponse, fault?: Fault): Promise<Buffer | undefined> {
  const { socket } = request;
  if (fault?.fault === 'never read') {
    socket.pause();
    return undefined;
  }
  if (fault?.fault === 'answer early') {
    respond(response, fault);
    return undefined;
  }
  if (fault?.fault === 'continue first') {
    response.writeContinue();
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
  }
  if (fault?.fault === 'reset') return reset(request, fault.after ?? 1);
  if (fault?.fault === 'slow read') return collect(request, fault.milliseconds ?? 20, fault.bytes);
  return collect(request);
}

async function reset(request: IncomingMessage, after: number): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes >= after) resolve();
  });
  request.on('end', resolve).on('close', resolve);
  await promise;
  request.socket.resetAndDestroy();
  return undefined;
}

async function collect(request: IncomingMessage, pause = 0, slowly = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    // A pause is what this fault consists of.
    if (pause > 0 && bytes < slowly) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return Buffer.concat(chunks);
}

async function play(fault: Fault | undefined, response: ServerResponse, answer: () => Promise<Answer>): Promise<void> {
  const socket = response.socket!;
  switch (fault?.fault) {
    case undefined:
    case 'slow read':
    case 'continue first':
      return respond(response, await answer());
    case 'answer':
      return respond(response, fault, fault.chunked);
    case 'answer after storing':
      await answer();
      return respond(response, fault);
    case 'hang up after storing':
      await answer();
      return void socket.destroy();
    case 'half close':
      return void socket.end();
    case 'stall in the answer':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      return void response.write('{"half":');
    case 'huge answer':
      return respond(
        response,
        { status: fault.status ?? 200, body: 'x'.repeat(fault.bytes ?? 5 << 20) },
        fault.chunked,
      );
    case 'not HTTP':
      return void socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    default:
      // Never answered.
      return undefined;
  }
}

function respond(response: ServerResponse, { status, headers, body }: Answer, chunked = false): void {
  const isText = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  const content = isText ? Buffer.from((body as string) ?? '') : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
    ...(chunked || status === 204 ? {} : { 'content-length': content.length }),
    ...headers,
  });
  if (!chunked) return void response.end(status === 204 ? undefined : content);
  for (let at = 0; at < content.length; at += 16_384) response.write(content.subarray(at, at + 16_384));
  response.end();
}
