// A service as gRPC has it, by hand: messages of five octets and their own, the outcome in the trailers.

import { once } from 'node:events';
import {
  type ClientHttp2Stream,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An application of HTTP/2 without TLS. One may serve many tests, each with its own behaviour. */
export class H2cApplication implements AsyncDisposable {
  readonly sessions = new Set<ServerHttp2Session>();
  readonly requests: IncomingHttpHeaders[] = [];
  readonly errors: Error[] = [];
  #handler: Handler;
  readonly #server: Http2Server;

  private constructor(handler: Handler, streamLimit: number) {
    this.#handler = handler;
    this.#server = createServer({ settings: { maxConcurrentStreams: streamLimit } })
      .on('session', (session) => {
        this.sessions.add(session);
        session.on('close', () => this.sessions.delete(session));
      })
      .on('stream', (stream: ServerHttp2Stream, headers) => {
        stream.on('error', (error) => this.errors.push(error));
        this.requests.push(headers);
        this.#handler(stream, headers);
      })
      .on('sessionError', (error) => this.errors.push(error));
  }

  static async open(handler: Handler, { port = 0, streamLimit = 1_000 } = {}): Promise<H2cApplication> {
    const application = new H2cApplication(handler, streamLimit);
    application.#server.listen(port, '127.0.0.1');
    await once(application.#server, 'listening');
    return application;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `h2c://127.0.0.1:${this.port}`;
  }

  become(handler: Handler): void {
    this.requests.length = this.errors.length = 0;
    this.#handler = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.sessions) session.destroy();
    await closed;
  }
}

export function message(text: string): Buffer {
  const octets = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(octets.length, 1);
  return Buffer.concat([head, octets]);
}

/** Calls back with each message that comes. */
export function onMessages(stream: ServerHttp2Stream | ClientHttp2Stream, take: (text: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on('data', (octets: Buffer) => {
    rest = Buffer.concat([rest, octets]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      take(rest.toString('utf8', 5, end));
      rest = rest.subarray(end);
    }
  });
}

const types = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers each message with one, and ends as the client does. */
export function echo(stream: ServerHttp2Stream): void {
  stream.respond(types, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'done' }));
  onMessages(stream, (text) => stream.write(message(`echo ${text}`)));
  stream.on('end', () => stream.end());
}

/** Fails at once: the only head is the trailers. */
export const failing =
  (status: string, text: string): Handler =>
  (stream) =>
    stream.respond({ ...types, 'grpc-status': status, 'grpc-message': text }, { endStream: true });
