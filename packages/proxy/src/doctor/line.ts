// One connection to the application, where what is sent and what arrives is exactly what a probe says.

import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Response, ResponseReader } from './response-reader.ts';
import type { Peer } from './target.ts';

export type Answer =
  | (Response & { readonly kind: 'response'; readonly interims: readonly number[] })
  /** 100 Continue, where that was waited for. */
  | { readonly kind: 'interim'; readonly status: number }
  /** The proxy would refuse it. `begun`: not for its head. */
  | { readonly kind: 'invalid'; readonly detail: string; readonly octets: Buffer; readonly begun: boolean }
  /** The connection ended before the response did. */
  | { readonly kind: 'cut'; readonly octets: number; readonly reset: boolean; readonly begun: boolean }
  | { readonly kind: 'late'; readonly octets: number; readonly after: number };

export type Awaited = { readonly timeout: number; readonly method?: string; readonly interim?: boolean };

// An answer may be long, and what belongs to none is only looked at.
const mostUnread = 131_072;

export class Line implements Disposable {
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #received = 0;
  /** When something came last, and when the application ended the connection. */
  spokeAt = 0;
  endedAt: number | undefined;
  error: NodeJS.ErrnoException | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket
      .on('data', (octets: Buffer) => this.#take(octets))
      .on('end', () => this.#end())
      .on('error', (error: NodeJS.ErrnoException) => {
        this.error = error;
      })
      .on('close', () => this.#end());
  }

  /** Rejects when it cannot be connected. */
  static async open(peer: Peer, timeout: number): Promise<Line> {
    const socket = connect({ ...peer, allowHalfOpen: true, noDelay: true });
    const line = new Line(socket);
    const opened = await line.#until(() => !socket.connecting, timeout, socket);
    if (opened && line.endedAt === undefined) return line;
    line[Symbol.dispose]();
    throw line.error ?? new Error(`no connection within ${timeout / 1000}s`);
  }

  #take(octets: Buffer): void {
    this.spokeAt = performance.now();
    this.#received += octets.length;
    this.#unread = Buffer.concat([this.#unread, octets]);
    this.#wake?.();
    // Nobody wants it, and it could go on for ever.
    if (this.#unread.length > mostUnread) this.#socket.pause();
  }

  #end(): void {
    this.endedAt ??= performance.now();
    this.#wake?.();
  }

  /** Resolves with what `found` says, which is asked whenever something happens, or false after `patience`. */
  #until(found: () => boolean, patience: number, connecting?: Socket): Promise<boolean> {
    if (found()) return Promise.resolve(true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), patience);
    this.#wake = () => {
      if (found() || (connecting && this.endedAt !== undefined)) resolve(true);
    };
    connecting?.once('connect', this.#wake);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#wake = undefined;
    });
  }

  send(octets: string | Buffer): this {
    this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
    return this;
  }

  /** This side says no more. */
  finish(): this {
    this.#socket.end();
    return this;
  }

  async answer({ timeout, method = 'GET', interim = false }: Awaited): Promise<Answer> {
    const reader = new ResponseReader(method);
    this.#socket.resume();
    const before = this.#received;
    const waiting = this.#unread.length;
    const settled = () => {
      this.#unread = reader.read(this.#unread);
      if (this.endedAt !== undefined) reader.end();
      const early = interim && reader.interims.length > 0;
      return early || reader.response !== undefined || reader.refusal !== undefined || this.endedAt !== undefined;
    };
    await this.#until(settled, timeout);
    const octets = this.#received - before + waiting;
    const { response, refusal, interims, begun } = reader;
    if (response) return { kind: 'response', ...response, interims };
    if (refusal) return { kind: 'invalid', detail: refusal.detail, octets: this.#unread, begun };
    if (interim && interims.length > 0) return { kind: 'interim', status: interims[0]! };
    if (this.endedAt !== undefined) return { kind: 'cut', octets, reset: this.error !== undefined, begun };
    return { kind: 'late', octets, after: timeout };
  }

  /** Whether the application ends the connection within `patience`. */
  ends(patience: number): Promise<boolean> {
    return this.#until(() => this.endedAt !== undefined, patience);
  }

  /** Octets that belong to no answer, waited for until `patience` is over or the connection is; empty when none come. */
  async unasked(patience: number): Promise<Buffer> {
    await this.#until(() => this.#unread.length > 0 || this.endedAt !== undefined, patience);
    return this.#unread;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
