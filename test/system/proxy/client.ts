// A client of HTTP/1.1 on a socket, plain or TLS: it sends exactly what it is told, reads at its own pace, and knows how
// far a response had come when it broke off.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';

export type ClientOptions = {
  readonly port: number;
  readonly host?: string;
  /** Speaks TLS and trusts this. */
  readonly ca?: string | undefined;
};

export type Answer = {
  readonly status: number;
  /** The server says that nothing more comes on this connection. */
  readonly close: boolean;
  /** Empty where somebody else took it. */
  readonly body: Buffer;
};

/** The connection ended before the response, or in the middle of it. */
export class Broken extends Error {
  /** An octet of this response had come. */
  readonly began: boolean;

  constructor(began: boolean, cause: string) {
    super(`The connection ended ${began ? 'in the middle of' : 'before'} the response: ${cause}`);
    this.name = 'Broken';
    this.began = began;
  }
}

export class HttpClient implements Disposable {
  readonly socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #end: string | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket
      .on('data', (octets: Buffer) => {
        this.#unread = this.#unread.length === 0 ? octets : Buffer.concat([this.#unread, octets]);
        this.#wake();
      })
      .on('error', (error: NodeJS.ErrnoException) => this.#ended(error.code ?? error.message))
      .on('end', () => this.#ended('end'))
      .on('close', () => this.#ended('close'));
  }

  static async open({ port, host = '127.0.0.1', ca }: ClientOptions): Promise<HttpClient> {
    const raw = { port, host, allowHalfOpen: true, noDelay: true };
    const socket = ca ? connectTls({ ...raw, ca, servername: 'localhost' }) : connect(raw);
    try {
      await once(socket, ca ? 'secureConnect' : 'connect');
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return new HttpClient(socket);
  }

  #ended(how: string): void {
    this.#end ??= how;
    this.#wake();
  }

  /** How the other side ended the connection; undefined while it has not. */
  get ended(): string | undefined {
    return this.#end;
  }

  /** The certificate that the server has shown. */
  get fingerprint(): string | undefined {
    return this.socket instanceof TLSSocket ? this.socket.getPeerX509Certificate()?.fingerprint256 : undefined;
  }

  send(octets: string | Buffer): this {
    this.socket.write(octets);
    return this;
  }

  /** Sends a request without a body and reads its response. */
  get(path: string, headers = ''): Promise<Answer> {
    return this.send(requestOf(path, headers)).response();
  }

  /** Reads one response, without the interim ones before it. @param take gets the body as it comes. Rejects with Broken. */
  async response(take?: (octets: Buffer) => unknown): Promise<Answer> {
    let head = await this.#head(true);
    while (/^HTTP\/1\.1 1(?!01)/.test(head)) head = await this.#head(false);
    const status = Number(head.slice(9, 12));
    const close = /^connection: *close/im.test(head);
    const parts: Buffer[] = [];
    const sink = take ?? ((octets: Buffer) => void parts.push(octets));
    if (/^transfer-encoding: *chunked/im.test(head)) await this.#chunks(sink);
    else await this.#octets(Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0), sink);
    return { status, close, body: Buffer.concat(parts) };
  }

  async #head(first: boolean): Promise<string> {
    const end = await this.#find('\r\n\r\n', first);
    return this.#cut(end + 4).toString('latin1');
  }

  async #chunks(sink: (octets: Buffer) => unknown): Promise<void> {
    for (;;) {
      const line = this.#cut((await this.#find('\r\n', false)) + 2).toString('latin1');
      const length = Number.parseInt(line, 16);
      await this.#octets(length, sink);
      // What follows the last chunk: no trailers are asked for, so an empty line as after each other one.
      await this.#octets(2, () => undefined);
      if (length === 0) return;
    }
  }

  async #octets(length: number, sink: (octets: Buffer) => unknown): Promise<void> {
    for (let left = length; left > 0; ) {
      if (this.#unread.length === 0) await this.#more(true);
      const part = this.#cut(Math.min(left, this.#unread.length));
      left -= part.length;
      await sink(part);
    }
  }

  async #find(wanted: string, first: boolean): Promise<number> {
    for (;;) {
      const at = this.#unread.indexOf(wanted, 0, 'latin1');
      if (at >= 0) return at;
      await this.#more(!first || this.#unread.length > 0);
    }
  }

  async #more(began: boolean): Promise<void> {
    const before = this.#unread.length;
    while (this.#unread.length === before) {
      if (this.#end) throw new Broken(began, this.#end);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #cut(length: number): Buffer {
    const part = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return part;
  }

  /** Resolves when the other side has ended. */
  async untilEnd(): Promise<string> {
    while (!this.#end) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#end;
  }

  /** Goes without a word: what the other side sends from now on is answered by a reset. */
  reset(): void {
    if (this.socket instanceof TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export const requestOf = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

/** Runs the same work so many times at once. */
export const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));
