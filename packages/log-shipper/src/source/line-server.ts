// Listeners of lines over TCP and Unix sockets. They have no acknowledgements: a sender knows only that its bytes were taken
// by the kernel, so what matters is not to read what there is no room for.

import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { type Log, reasonOf } from '@outrigger/core';
import type { Intake } from '../intake.ts';
import { LineStream, Unfinished } from './line-stream.ts';
import { leaving } from './push.ts';

/** A stream of something, fed with bytes as they come. */
export type Taker = {
  add(bytes: Buffer): Promise<void>;
  /** Nothing more is coming. */
  end(): Promise<void>;
  readonly lost: number;
};

export type ServerOptions = {
  readonly log: Log;
  readonly intake: Intake;
  /** The source's name. */
  readonly name: string;
  /** How many may be connected; more are turned away. */
  readonly connections: number;
  /** Milliseconds without a byte after which a connection is closed. */
  readonly idleTimeout: number;
  /** What all connections may hold of what has not come whole. */
  readonly held?: number;
  /** What is made of the bytes of a connection; by default lines. */
  readonly take?: (socket: Socket, options: TakeOptions) => Taker;
};

export type TakeOptions = {
  readonly peer: string | undefined;
  readonly unfinished: Unfinished;
  readonly signal: AbortSignal;
  readonly waiting: (waits: boolean) => void;
};

/** A peer that is gone without a word is noticed after about that and eight probes. */
const keepAlive = 30_000;

export class LineServer implements AsyncDisposable {
  readonly server: Server;
  readonly #options: ServerOptions;
  readonly #open = new Map<Socket, Promise<void>>();
  readonly #ending = new AbortController();
  readonly #unfinished: Unfinished;
  readonly #refusals = new Map<string, number>();
  /** How many wait for room. */
  #waiting = 0;
  refused = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#unfinished = new Unfinished(options.held);
    this.server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAlive }, (socket) =>
      this.#accept(socket),
    );
    this.server.maxConnections = options.connections;
    this.server.on('drop', () => {
      if (this.refused++ === 0) options.log.warn('More connections than are allowed', { source: options.name });
    });
  }

  /** Why senders wait at present. */
  get trouble(): string | undefined {
    return this.#waiting > 0 ? `${this.#waiting} senders wait for room in the disk queue` : undefined;
  }

  #accept(socket: Socket): void {
    const serving = this.#serve(socket)
      .catch((error: unknown) => this.#refuse(reasonOf(error), socket.remoteAddress))
      .finally(() => this.#open.delete(socket));
    this.#open.set(socket, serving);
  }

  async #serve(socket: Socket): Promise<void> {
    const { log, name, idleTimeout } = this.#options;
    const peer = socket.remoteAddress;
    let waits = false;
    const taker = this.#taker(socket, {
      peer,
      unfinished: this.#unfinished,
      signal: this.#ending.signal,
      waiting: (begun) => {
        waits = begun;
        this.#waiting += begun ? 1 : -1;
      },
    });
    // While it waits for us it is not the peer that is silent.
    socket.setTimeout(idleTimeout, () => !waits && socket.destroy());
    try {
      await this.#read(socket, taker);
    } catch (error) {
      // Its sender is gone, which is its own affair.
      log.debug('A connection ended', { source: name, peer, reason: reasonOf(error) });
    } finally {
      await taker.end();
      socket.destroy();
    }
    if (taker.lost > 0)
      log.warn('Lines were received and there was no room for them', { source: name, bytes: taker.lost });
  }

  async #read(socket: Socket, taker: Taker): Promise<void> {
    for await (const bytes of socket) {
      try {
        await taker.add(bytes as Buffer);
      } catch (error) {
        this.#refuse(reasonOf(error), socket.remoteAddress);
        return;
      }
    }
  }

  /** Each reason is said once a minute: whoever comes again and again must not fill the log. */
  #refuse(reason: string, peer: string | undefined): void {
    const now = performance.now();
    if (now - (this.#refusals.get(reason) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    if (this.#refusals.size > 100) this.#refusals.clear();
    this.#refusals.set(reason, now);
    this.#options.log.warn('What was sent cannot be taken', { source: this.#options.name, peer, reason });
  }

  #taker(socket: Socket, options: TakeOptions): Taker {
    const { intake, name, take } = this.#options;
    if (take) return take(socket, options);
    return new LineStream({ ...options, intake, from: { source: name, peer: options.peer }, whenFull: 'wait' });
  }

  /** Nobody is let in any more; what is on its way is taken for a moment. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    const end = performance.now() + leaving.most;
    for (let before = -1; this.#open.size > 0 && performance.now() < end; ) {
      const received = [...this.#open.keys()].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
      if (received === before) break;
      before = received;
      await after(leaving.quiet);
    }
    this.#ending.abort();
    const serving = [...this.#open];
    for (const [socket] of serving) socket.destroy();
    await Promise.all(serving.map(([, each]) => each));
    await closed;
  }
}
