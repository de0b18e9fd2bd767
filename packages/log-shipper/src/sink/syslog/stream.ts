// Syslog over TCP or TLS. The protocol has no acknowledgement: a batch counts as delivered once the kernel has it and the
// peer has not closed the connection by then. What a peer had not read when it went away is lost, unless the last records
// are sent again over the next connection, as they are by option; those it had read come twice then.

import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { formatDuration } from '@outrigger/core';
import type { Batch } from '../../batch.ts';
import { delivered, type Verdict } from '../sink.ts';
import { connect, type Peer } from '../stream/connect.ts';
import { Deadline } from '../stream/deadline.ts';
import type { ClientTls } from '../stream/tls.ts';

export type StreamOptions = {
  readonly peer: Peer;
  readonly tls: ClientTls | undefined;
  readonly connectTimeout: number;
  readonly connectionAge: number;
  /** How many records to send again over a new connection. */
  readonly resend: number;
};

type Sent = { readonly bytes: Buffer; readonly records: number };

export class SyslogStream {
  readonly #options: StreamOptions;
  #socket: Socket | undefined;
  #securedBy: object | undefined;
  #begun = 0;
  /** Why the connection is no more. */
  #ended: Error | undefined;
  #unconfirmed: Sent[] = [];

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  async write(batch: Batch, signal: AbortSignal): Promise<Verdict> {
    try {
      const socket = await this.#connected(signal);
      await this.#send(socket, batch.bytes, signal);
    } catch (error) {
      // The peer may have half a message: the next one begins a connection.
      this.#socket?.destroy();
      this.#socket = undefined;
      throw error;
    }
    this.#remember(batch);
    return delivered;
  }

  /** What the kernel has still goes its way. */
  end(): void {
    this.#socket?.end();
    this.#socket = undefined;
  }

  async #connected(signal: AbortSignal): Promise<Socket> {
    const { peer, tls, connectTimeout, connectionAge } = this.#options;
    const old = performance.now() - this.#begun > connectionAge || this.#securedBy !== tls?.options;
    if (this.#socket && !old && !this.#ended) return this.#socket;
    // What was written to one that is only old is still on its way.
    const lost = this.#ended !== undefined || !this.#socket;
    this.#socket?.end();
    this.#socket = undefined;
    const late = () => new Error(`no connection within ${formatDuration(connectTimeout)}`);
    using deadline = new Deadline(connectTimeout, late, signal);
    this.#securedBy = tls?.options;
    const socket = await connect(peer, { tls: tls?.options, signal: deadline.signal });
    this.#begun = performance.now();
    this.#ended = undefined;
    this.#watch(socket);
    this.#socket = socket;
    if (lost) for (const { bytes } of this.#unconfirmed) await this.#send(socket, bytes, signal);
    return socket;
  }

  #watch(socket: Socket): void {
    const over = (error: Error) => {
      if (this.#socket === socket) this.#ended ??= error;
    };
    // A syslog server says nothing; only its end is of interest.
    socket.resume();
    socket.on('end', () => over(new Error('the receiver closed the connection')));
    socket.on('error', over);
    socket.on('close', () => over(new Error('the receiver closed the connection')));
  }

  async #send(socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const aborted = () => reject(signal.reason);
    const closed = () => reject(this.#ended ?? new Error('the receiver closed the connection'));
    signal.addEventListener('abort', aborted);
    socket.once('close', closed);
    if (signal.aborted) aborted();
    else socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', aborted);
      socket.off('close', closed);
    }
    // The end of a peer that has gone may have arrived already: the event loop has to look.
    await setImmediate();
    if (this.#ended) throw this.#ended;
  }

  #remember({ bytes, offsets, records }: Batch): void {
    const { resend } = this.#options;
    if (resend === 0) return;
    const from = Math.max(0, records - resend);
    // The batch's own bytes are used again.
    this.#unconfirmed.push({ bytes: Buffer.from(bytes.subarray(offsets[from])), records: records - from });
    let kept = this.#unconfirmed.reduce((sum, sent) => sum + sent.records, 0);
    while (kept - this.#unconfirmed[0]!.records >= resend) kept -= this.#unconfirmed.shift()!.records;
  }
}
