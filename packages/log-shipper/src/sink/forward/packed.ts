// The fast engine: packets made by hand, over connections of our own. The first address is used for as long as it works,
// then the next, and the first again when a connection is renewed.

import { formatDuration, type Secret } from '@outrigger/core';
import { connect, nameOf, type Peer } from '../stream/connect.ts';
import { Deadline, Silence } from '../stream/deadline.ts';
import type { ClientTls } from '../stream/tls.ts';
import { Connection, type Security } from './connection.ts';
import { type Compression, type Entries, Packer } from './pack.ts';

export type Engine = {
  /** Resolves when the receiver has acknowledged it, rejects with a Silence when it had time to. */
  send(batch: Entries, sending: Sending): Promise<void>;
  close(): void | Promise<void>;
};

export type Sending = { readonly tag: string; readonly signal: AbortSignal };

export type EngineOptions = {
  /** At least one. */
  readonly peers: readonly Peer[];
  readonly compress: Compression;
  readonly connectTimeout: number;
  readonly ackTimeout: number;
  readonly connectionAge: number;
  readonly tls: ClientTls | undefined;
  readonly sharedKey: Secret | undefined;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
};

export class Packed implements Engine {
  readonly #options: EngineOptions;
  readonly #packer: Packer;
  #connection: Connection | undefined;
  /** How the connection was secured: another object once the files have changed. */
  #securedBy: object | undefined;
  /** The peer to try first. */
  #at = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#packer = new Packer(options.compress);
  }

  async send(batch: Entries, { tag, signal }: Sending): Promise<void> {
    const packet = await this.#packer.pack(batch, tag);
    const connection = await this.#connected(signal);
    const { ackTimeout } = this.#options;
    using deadline = new Deadline(
      ackTimeout,
      () => new Silence(`no answer within ${formatDuration(ackTimeout)}`),
      signal,
    );
    try {
      await connection.send(packet, batch.id, deadline.signal);
      this.#packer.forget();
    } catch (error) {
      // It accepts connections and does no more: another one may.
      this.#next();
      throw error;
    }
  }

  close(): void {
    this.#connection?.close();
  }

  async #connected(signal: AbortSignal): Promise<Connection> {
    const { connectionAge, tls, peers } = this.#options;
    // Names may lead elsewhere by now, and files hold something else. A receiver that closes an idle connection is not down.
    const renew = this.#connection && (this.#connection.age > connectionAge || this.#securedBy !== tls?.options);
    if (!renew && this.#connection?.usable) return this.#connection;
    this.#connection?.close();
    this.#connection = undefined;
    if (renew) this.#at = 0;
    const failures: unknown[] = [];
    for (let tried = 0; tried < peers.length; tried++) {
      try {
        this.#connection = await this.#connect(peers[this.#at]!, signal);
        return this.#connection;
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
        this.#next();
      }
    }
    throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  }

  async #connect(peer: Peer, outer: AbortSignal): Promise<Connection> {
    const { connectTimeout, tls } = this.#options;
    const late = () =>
      new Error(`${nameOf(peer)} took more than ${formatDuration(connectTimeout)} to accept a connection`);
    using deadline = new Deadline(connectTimeout, late, outer);
    const { signal } = deadline;
    this.#securedBy = tls?.options;
    const socket = await connect(peer, { tls: tls?.options, signal });
    return await Connection.open(socket, { security: this.#security(), signal });
  }

  /** Read anew for each connection: the files may have changed. */
  #security(): Security | undefined {
    const { sharedKey, username, password } = this.#options;
    return sharedKey && { sharedKey: sharedKey.read(), username, password: password?.read() };
  }

  #next(): void {
    this.#at = (this.#at + 1) % this.#options.peers.length;
  }
}
