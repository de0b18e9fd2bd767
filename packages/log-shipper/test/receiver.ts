// A Forward receiver that behaves as badly as a test wants: it may keep acknowledgements to itself or hang up.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  decodeClientStream,
  encodeMessage,
  generateAck,
  generateHelo,
  parseTransport,
} from '@fluent-org/logger/build/src/protocol.js';
import { until } from '@outrigger/core/testing';

type ClientTransportMessage = Parameters<typeof parseTransport>[0];
export type Received = { readonly tag: string; readonly time: unknown; readonly record: Record<string, unknown> };
type Answer = 'acknowledge' | 'say nothing' | 'hang up' | 'acknowledge another' | 'talk nonsense' | 'ask for a key';

export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Chunk ids in the order they came, repeats included. */
  readonly chunks: string[] = [];
  /** Chunk ids that were acknowledged. */
  readonly acknowledged: string[] = [];
  answer: Answer;
  connections = 0;
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();

  private constructor(answer: Answer) {
    this.answer = answer;
  }

  static async listen({ port = 0, answer = 'acknowledge' }: { port?: number; answer?: Answer } = {}) {
    const receiver = new Receiver(answer);
    receiver.#server.listen(port, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(socket: Socket): Promise<void> {
    this.connections++;
    this.#sockets.add(socket);
    if (this.answer === 'ask for a key') socket.write(encodeMessage(generateHelo('nonce', '', true)));
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    try {
      for await (const message of decodeClientStream(socket)) this.#take(socket, message as ClientTransportMessage);
    } catch (error) {
      // Hanging up in the middle of a message ends its decoding.
      if (!socket.destroyed) throw error;
    }
  }

  #take(socket: Socket, message: ClientTransportMessage): void {
    if (this.answer === 'hang up') return void socket.destroy();
    const { tag, entries, chunk } = parseTransport(message);
    for (const [time, record] of entries) this.received.push({ tag, time, record });
    if (chunk === undefined) return;
    this.chunks.push(chunk);
    if (this.answer === 'say nothing') return;
    if (this.answer === 'talk nonsense') return void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    if (this.answer === 'acknowledge another') return void socket.write(encodeMessage(generateAck('another')));
    this.acknowledged.push(chunk);
    socket.write(encodeMessage(generateAck(chunk)));
  }

  /** What the field `log` of each record held, in the order of arrival. */
  get lines(): string[] {
    return this.received.map(({ record }) => String(record.log));
  }

  /** Until each of these lines has come at least once. */
  async hasAll(lines: readonly string[], deadline = 15_000): Promise<void> {
    const missing = () => {
      const have = new Set(this.lines);
      return lines.filter((line) => !have.has(line));
    };
    await until(() => missing().length === 0, {
      deadline,
      what: () => `${missing().length} of ${lines.length} lines, such as ${missing()[0]}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}
