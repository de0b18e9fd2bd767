// A Forward receiver that behaves as badly as a test wants: it may keep acknowledgements to itself, give wrong ones, hang
// up, or refuse whoever does not know its key.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { zstdDecompressSync } from 'node:zlib';
import {
  checkPing,
  decodeClientStream,
  encodeMessage,
  generateAck,
  generateHelo,
  generatePong,
  isPing,
  parseTransport,
} from '@fluent-org/logger/build/src/protocol.js';
import { untilAll } from './until-all.ts';

type ClientTransportMessage = Parameters<typeof parseTransport>[0];
export type Received = { readonly tag: string; readonly time: unknown; readonly record: Record<string, unknown> };
export type Answer =
  | 'acknowledge'
  | 'say nothing'
  | 'hang up'
  | 'acknowledge another'
  | 'acknowledge another first'
  | 'acknowledge twice'
  | 'acknowledge in pieces'
  | 'acknowledge once in a connection'
  | 'talk nonsense'
  | 'talk for ever'
  | 'ask for a key'
  | 'begin with PONG'
  | 'lie about the key';

export type Security = {
  readonly sharedKey: string;
  readonly users?: Readonly<Record<string, string>>;
  /** Whether a connection is good for more than one packet. */
  readonly keepalive?: boolean;
};

type ReceiverOptions = {
  readonly port?: number;
  readonly host?: string;
  /** Of a Unix socket, instead of a port. */
  readonly path?: string;
  readonly answer?: Answer;
  readonly security?: Security;
  readonly tls?: TlsOptions;
};

export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Chunk ids in the order they came, repeats included. */
  readonly chunks: string[] = [];
  /** Chunk ids that were acknowledged. */
  readonly acknowledged: string[] = [];
  /** How the packets came. */
  readonly compressed: (string | undefined)[] = [];
  /** Users that were let in. */
  readonly users: string[] = [];
  /** What went wrong with clients that were not let in, or could not be understood. */
  readonly refusals: string[] = [];
  answer: Answer;
  security: Security | undefined;
  /** Whether a packet with this record is taken in and never acknowledged. */
  swallows: (record: Received['record']) => boolean = () => false;
  connections = 0;
  readonly server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ answer = 'acknowledge', security, tls }: ReceiverOptions) {
    this.answer = answer;
    this.security = security;
    const serve = (socket: Socket) => this.#serve(socket);
    this.server = tls ? createTlsServer(tls, serve) : createServer(serve);
    this.server.on('tlsClientError', (error: Error) => this.refusals.push(error.message));
  }

  static async listen({ port = 0, host = '127.0.0.1', path, ...options }: ReceiverOptions = {}) {
    const receiver = new Receiver(options);
    if (path === undefined) receiver.server.listen(port, host);
    else receiver.server.listen(path);
    await once(receiver.server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async #serve(socket: Socket): Promise<void> {
    this.connections++;
    this.#sockets.add(socket);
    if (this.answer === 'ask for a key') socket.write(encodeMessage(generateHelo('nonce', '', true)));
    if (this.answer === 'begin with PONG') socket.write(encodeMessage(generatePong('receiver', true, '')));
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    try {
      const messages = decodeClientStream(socket)[Symbol.asyncIterator]();
      if (this.security) await this.#admit(socket, messages, this.security);
      for (let of = 0; ; of++) {
        const { value, done } = await messages.next();
        if (done) break;
        this.#take(socket, value as ClientTransportMessage, of);
      }
    } catch (error) {
      this.refusals.push((error as Error).message);
      socket.end();
    }
  }

  async #admit(socket: Socket, messages: AsyncIterator<unknown>, security: Security): Promise<void> {
    const { sharedKey, users, keepalive = true } = security;
    const nonce = randomBytes(16);
    const salt = users && randomBytes(16);
    socket.write(encodeMessage(generateHelo(nonce, salt ?? '', keepalive)));
    const { value: ping } = await messages.next();
    if (!isPing(ping)) throw new Error('no PING');
    const key = this.answer === 'lie about the key' ? 'another' : sharedKey;
    try {
      const authInfo = salt && users ? { salt, userDict: users } : undefined;
      const { sharedKeyInfo } = checkPing(ping, 'receiver', { key: sharedKey, nonce }, authInfo);
      socket.write(encodeMessage(generatePong('receiver', true, '', { ...sharedKeyInfo, key })));
      this.users.push(ping[4]);
    } catch (error) {
      socket.write(encodeMessage(generatePong('receiver', false, (error as Error).message)));
      throw error;
    }
  }

  #take(socket: Socket, message: ClientTransportMessage, of: number): void {
    if (this.answer === 'hang up') return void socket.destroy();
    const compressed = (message[2] as { compressed?: string } | undefined)?.compressed;
    this.compressed.push(compressed);
    if (compressed === 'zstd') {
      message[1] = zstdDecompressSync(message[1] as unknown as Uint8Array);
      message[2] = { ...(message[2] as object), compressed: undefined };
    }
    const { tag, entries, chunk } = parseTransport(message);
    for (const [time, record] of entries) this.received.push({ tag, time, record });
    if (chunk === undefined) return;
    this.chunks.push(chunk);
    if (entries.some(([, record]) => this.swallows(record))) return;
    if (this.answer !== 'acknowledge once in a connection' || of === 0) this.#answer(socket, chunk);
  }

  #answer(socket: Socket, chunk: string): void {
    const ack = encodeMessage(generateAck(chunk));
    const another = encodeMessage(generateAck('another'));
    switch (this.answer) {
      case 'say nothing':
        return;
      case 'talk nonsense':
        return void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      case 'talk for ever':
        // A map of 65,535 pairs, as far as it says, and whatever comes to mind.
        return void socket.write(Buffer.concat([Buffer.of(0xde, 0xff, 0xff), Buffer.alloc(0x100_000)]));
      case 'acknowledge another':
        return void socket.write(another);
      case 'acknowledge another first':
        socket.write(Buffer.concat([another, ack]));
        break;
      case 'acknowledge twice':
        socket.write(Buffer.concat([ack, ack]));
        break;
      case 'acknowledge in pieces':
        socket.write(ack.subarray(0, 7));
        setTimeout(() => socket.write(ack.subarray(7)), 20);
        break;
      default:
        socket.write(ack);
    }
    this.acknowledged.push(chunk);
  }

  /** Ends all connections that there are, and goes on listening. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What the field `log` of each record held, in the order of arrival. */
  get lines(): string[] {
    return this.received.map(({ record }) => String(record.log));
  }

  /** Until each of these lines has come at least once. */
  hasAll(lines: readonly string[], deadline = 15_000): Promise<void> {
    return untilAll(lines, () => this.lines, deadline);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.hangUp();
    if (this.server.listening) await once(this.server, 'close');
  }
}
