// The plain way, by the library's own client: each record is an object and an emit. Slow, and what the fast engine is
// tested against. Numbers beyond what a double holds lose digits here.

import { hostname } from 'node:os';
import { type EventTime, FluentClient, FluentSocketEvent } from '@fluent-org/logger';
import { decodeEntries } from '@fluent-org/logger/build/src/protocol.js';
import { CloseState, type FluentSocket } from '@fluent-org/logger/build/src/socket.js';
import { formatDuration } from '@outrigger/core';
import { Deadline, Silence } from '../stream/deadline.ts';
import type { Entries } from './pack.ts';
import type { Engine, EngineOptions, Sending } from './packed.ts';

type Options = EngineOptions;

export class Client implements Engine {
  readonly #options: Options;
  #client: FluentClient | undefined;
  #closed = Promise.withResolvers<void>();
  #begun = 0;
  /** Whoever waits for an acknowledgement. */
  #failed: ((error: Error) => void) | undefined;
  #at = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  async send(batch: Entries, { tag, signal }: Sending): Promise<void> {
    const { ackTimeout, connectTimeout } = this.#options;
    const patience = ackTimeout + connectTimeout;
    using deadline = new Deadline(patience, () => new Silence(`no answer within ${formatDuration(patience)}`), signal);
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(deadline.signal.reason);
    deadline.signal.addEventListener('abort', abort);
    try {
      await Promise.race([this.#emit(batch, tag), aborted.promise]);
    } catch (error) {
      await this.#drop();
      this.#at = (this.#at + 1) % this.#options.peers.length;
      throw error;
    } finally {
      deadline.signal.removeEventListener('abort', abort);
    }
  }

  close(): Promise<void> {
    return this.#drop();
  }

  /** All of one turn go as one packet, whose acknowledgement settles them all. */
  async #emit({ bytes }: Entries, tag: string): Promise<void> {
    const client = await this.#connected();
    const failed = Promise.withResolvers<never>();
    this.#failed = failed.reject;
    const sent = decodeEntries(bytes).map(([time, record]) => client.emit(tag, record, time as EventTime));
    await Promise.race([Promise.all(sent), failed.promise]);
  }

  async #connected(): Promise<FluentClient> {
    const { connectionAge } = this.#options;
    if (this.#client?.writable && performance.now() - this.#begun < connectionAge) return this.#client;
    await this.#drop();
    const client = new FluentClient(null, this.#clientOptions());
    this.#client = client;
    this.#begun = performance.now();
    client.socketOn(FluentSocketEvent.ERROR, (error: Error) => this.#failed?.(error));
    const closed = Promise.withResolvers<void>();
    this.#closed = closed;
    client.socketOn(FluentSocketEvent.CLOSE, () => {
      closed.resolve();
      this.#failed?.(new Error('the receiver closed the connection before it acknowledged'));
    });
    await client.connect();
    return client;
  }

  #clientOptions(): ConstructorParameters<typeof FluentClient>[1] {
    const { peers, tls, sharedKey, username, password, ackTimeout, compress } = this.#options;
    return {
      eventMode: compress === 'none' ? 'PackedForward' : 'CompressedPackedForward',
      socket: {
        ...peers[this.#at]!,
        // By default it would hang up after three seconds of silence.
        timeout: -1,
        disableReconnect: true,
        notWritableWhenDraining: true,
        ...(tls && { tls: tls.options }),
      },
      ack: { ackTimeout },
      ...(sharedKey && {
        security: {
          clientHostname: `log-shipper.${hostname()}`,
          sharedKey: sharedKey.read(),
          ...(username !== undefined && { username }),
          ...(password && { password: password.read() }),
        },
      }),
    };
  }

  /** What it still has queued is sent again by another one. */
  async #drop(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    this.#failed = undefined;
    // Its own ways of closing wait for the peer, and for ever once the socket is gone.
    (client as unknown as { socket: FluentSocket }).socket.close(CloseState.FATAL);
    await this.#closed.promise;
    await client.shutdown();
  }
}
