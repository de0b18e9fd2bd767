// Both ends of the proxy as raw sockets: what is sent and what arrives is exactly what a test says.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from '@outrigger/core/testing';

/** A socket that remembers what came. */
export class Raw implements Disposable {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  length = 0;
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket) {
    this.socket = socket
      .on('data', (octets: Buffer) => {
        this.#chunks.push(octets);
        this.length += octets.length;
      })
      .on('end', () => {
        this.ended = true;
      })
      .on('error', (error) => {
        this.error = error;
      })
      .on('close', () => {
        this.closed = true;
      });
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(octets: string | Buffer): this {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
    return this;
  }

  /** Resolves with all that came once it holds `wanted`. */
  async until(wanted: string | RegExp): Promise<string> {
    const found = () => (typeof wanted === 'string' ? this.text.includes(wanted) : wanted.test(this.text));
    await until(() => found() || this.closed, { what: () => `"${wanted}" in ${JSON.stringify(this.text)}` });
    if (!found()) throw new Error(`The connection closed without "${wanted}": ${JSON.stringify(this.text)}`);
    return this.text;
  }

  /** Resolves with all that came once the other side has ended. */
  async untilEnd(): Promise<string> {
    await until(() => this.ended || this.closed, { what: () => `the end after ${JSON.stringify(this.text)}` });
    return this.text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export async function dial(port: number): Promise<Raw> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  const raw = new Raw(socket);
  await once(socket, 'connect');
  return raw;
}

/** Sends octets, ends, and resolves with the whole answer. */
export async function ask(port: number, octets: string | Buffer): Promise<string> {
  using client = await dial(port);
  return await client.send(octets).untilEnd();
}

/** Called with a connection each time something came on it. */
export type Serve = (connection: Raw, arrived: Buffer) => void;

/** An application on raw sockets. One may serve many tests, each with its own behaviour. */
export class RawApplication implements AsyncDisposable {
  /** In the order they were accepted, since the behaviour was set. */
  connections: Raw[] = [];
  #serve: Serve = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server.on('connection', (socket) => {
      const connection = new Raw(socket);
      this.connections.push(connection);
      socket.on('data', (arrived: Buffer) => this.#serve(connection, arrived));
    });
  }

  static async open(serve: Serve = () => undefined, port = 0): Promise<RawApplication> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(port, '127.0.0.1');
    const application = new RawApplication(server);
    application.#serve = serve;
    await once(server, 'listening');
    return application;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on it behaves like this, and knows of no connection. */
  become(serve: Serve): void {
    for (const { socket } of this.connections) socket.destroy();
    this.connections = [];
    this.#serve = serve;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

/** Gives the same octets for every request head that comes. */
export const always =
  (response: string): Serve =>
  (connection, arrived) => {
    for (const _ of arrived.toString('latin1').matchAll(/\r\n\r\n/g)) connection.send(response);
  };

export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
export const get = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
export const getAndClose = 'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n';
