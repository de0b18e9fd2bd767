// One connection to a receiver: who we are, then batch after batch, each acknowledged by its id.
//
// Of the library its messages are used and not its socket: that keeps whatever a peer claims to send in memory, cannot ask
// for keep-alive, and ends for good when an acknowledgement comes late.

import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { checkPong, encodeMessage, generatePing, isHelo, isPong } from '@fluent-org/logger/build/src/protocol.js';
import { Answers } from './answers.ts';

export type Security = {
  readonly sharedKey: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
};

/** The receiver does not want us as we are: that is for somebody to change, at one end or the other. */
export class Refused extends Error {}

// A receiver refuses whoever has its own name, and it may well be in the same Pod.
const ownName = () => `log-shipper.${hostname()}`;

type Expected = { matches(message: unknown): boolean; resolve(message: unknown): void; reject(error: Error): void };

export class Connection {
  readonly #socket: Socket;
  readonly #answers = new Answers();
  readonly #begun = performance.now();
  #expected: Expected | undefined;
  /** What was said before anybody asked for it. */
  #early: unknown[] = [];
  #established = false;
  #ended: Error | undefined;
  /** The receiver wants a new connection for each batch. */
  #once = false;

  /** Takes the socket over. */
  static async open(socket: Socket, { security, signal }: { security: Security | undefined; signal: AbortSignal }) {
    const connection = new Connection(socket);
    try {
      if (security) await connection.#authenticate(security, signal);
      connection.#establish();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const closed = () => this.#end(new Error('the receiver closed the connection before it acknowledged'));
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('end', closed);
    socket.on('error', (error) => this.#end(error));
    socket.on('close', closed);
  }

  get age(): number {
    return performance.now() - this.#begun;
  }

  get usable(): boolean {
    return this.#ended === undefined && this.#socket.writable;
  }

  /** Resolves when the batch is acknowledged. Afterwards, and when it rejects, nothing reads the packet any more. */
  async send(packet: readonly Buffer[], id: string, signal: AbortSignal): Promise<void> {
    try {
      // An acknowledgement of another batch means nothing here, and one that comes twice neither.
      const acknowledged = this.#message((message) => ackOf(message) === id, signal);
      this.#socket.cork();
      for (const piece of packet) this.#socket.write(piece);
      this.#socket.uncork();
      await acknowledged;
      if (this.#once) this.close();
    } catch (error) {
      // What a late acknowledgement would mean on this connection nobody can say.
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#end(new Error('the connection was closed'));
    this.#socket.destroy();
  }

  async #authenticate(security: Security, signal: AbortSignal): Promise<void> {
    const helo = await this.#message(() => true, signal);
    if (!isHelo(helo)) throw new Error('the receiver begins with something else than HELO');
    const [, { nonce, auth, keepalive }] = helo;
    this.#once = keepalive === false;
    const key = { key: security.sharedKey, nonce, salt: randomBytes(16).toString('hex') };
    const { username = '', password = '' } = security;
    const name = ownName();
    // A receiver that knows of users has a salt for their passwords.
    const user = auth !== undefined && auth.length > 0 ? { username, password, salt: auth } : undefined;
    this.#socket.write(encodeMessage(generatePing(name, key, user)));
    const pong = await this.#message(() => true, signal);
    if (!isPong(pong)) throw new Error('the receiver answers PING with something else than PONG');
    try {
      checkPong(pong, name, key);
    } catch (error) {
      throw new Refused((error as Error).message.slice(0, 200), { cause: error });
    }
  }

  #establish(): void {
    this.#established = true;
    for (const message of this.#early.splice(0)) this.#receive(message);
  }

  /** The next message that matches. */
  #message(matches: Expected['matches'], signal: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const aborted = () => reject(signal.reason);
    if (this.#ended) reject(this.#ended);
    else if (signal.aborted) aborted();
    else if (this.#early.length > 0) resolve(this.#early.shift());
    else this.#expected = { matches, resolve, reject };
    signal.addEventListener('abort', aborted);
    return promise.finally(() => {
      this.#expected = undefined;
      signal.removeEventListener('abort', aborted);
    });
  }

  #take(bytes: Buffer): void {
    try {
      for (const message of this.#answers.take(bytes)) this.#receive(message);
    } catch (error) {
      this.#end(error as Error);
      this.#socket.destroy();
    }
  }

  #receive(message: unknown): void {
    if (this.#established) check(message);
    if (this.#expected?.matches(message)) this.#expected.resolve(message);
    else if (!this.#established) this.#early.push(message);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#expected?.reject(this.#ended);
  }
}

/** Once a connection is established, acknowledgements are all that a receiver says. */
function check(message: unknown): void {
  if (isHelo(message)) throw new Refused('the receiver asks for authentication, and no shared key is given');
  if (ackOf(message) === undefined) throw new Error('the receiver says what is no acknowledgement');
}

const ackOf = (message: unknown): string | undefined => {
  const ack = (message as { ack?: unknown } | undefined)?.ack;
  return typeof ack === 'string' ? ack : undefined;
};
