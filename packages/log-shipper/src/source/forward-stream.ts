// One connection of a sender that speaks the Forward protocol: messages one after the other, each acknowledged when it is in
// the queue and not before.

import type { Socket } from 'node:net';
import type { Log } from '@outrigger/core';
import type { Intake } from '../intake.ts';
import type { Put } from '../spool/writer.ts';
import { Handshake, type Security } from './forward-handshake.ts';
import { acknowledgementOf, readMessage } from './forward-message.ts';
import type { TakeOptions, Taker } from './line-server.ts';
import { MsgpackScan } from './msgpack-scan.ts';
import type { Turns } from './turns.ts';

type Options = TakeOptions & {
  readonly intake: Intake;
  readonly log: Log;
  readonly security: Security | undefined;
  /** The largest message, before and after decompression. */
  readonly messageLimit: number;
  readonly turns: Turns;
};

const source = 'forward';
const nil = 0xc0;
/** Until a sender has shown who it is. */
const handshake = { bytes: 0x4000, time: 10_000 } as const;

export class ForwardStream implements Taker {
  readonly #socket: Socket;
  readonly #options: Options;
  #handshake: Handshake | undefined;
  #scan: MsgpackScan;
  #deadline: NodeJS.Timeout | undefined;
  /** What has come of the next message; grows with what comes and never by what is announced. */
  #buffer: Buffer = Buffer.alloc(0);
  #filled = 0;
  lost = 0;

  constructor(socket: Socket, options: Options) {
    this.#socket = socket;
    this.#options = options;
    const { security, messageLimit } = options;
    this.#scan = new MsgpackScan(security ? handshake.bytes : messageLimit);
    if (!security) return;
    this.#handshake = new Handshake(security);
    this.#deadline = setTimeout(() => socket.destroy(), handshake.time);
    socket.write(this.#handshake.helo);
  }

  /** Throws when the sender speaks something else, or sends too much: the connection ends then. */
  async add(bytes: Buffer): Promise<void> {
    this.#hold(bytes);
    let at = 0;
    for (;;) {
      const rest = this.#buffer.subarray(at, this.#filled);
      const end = this.#scan.end(rest, rest.length);
      if (end === undefined) break;
      await this.#take(rest.subarray(0, end));
      at += end;
    }
    if (at > 0) this.#release(at);
  }

  #hold(bytes: Buffer): void {
    const { unfinished } = this.#options;
    const needed = this.#filled + bytes.length;
    unfinished.held += bytes.length;
    if (this.#filled === 0) this.#buffer = bytes;
    else {
      if (needed > this.#buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
        this.#buffer.copy(grown, 0, 0, this.#filled);
        this.#buffer = grown;
      }
      bytes.copy(this.#buffer, this.#filled);
    }
    this.#filled = needed;
    // It has all of it still, and sends it again when there are fewer of them.
    if (unfinished.held > unfinished.limit) throw new Error('Too much is being sent at once');
  }

  #release(bytes: number): void {
    this.#options.unfinished.held -= bytes;
    this.#filled -= bytes;
    // A connection that is quiet holds nothing.
    if (this.#filled === 0) this.#buffer = Buffer.alloc(0);
    else this.#buffer.copyWithin(0, bytes, bytes + this.#filled);
  }

  async #take(message: Buffer): Promise<void> {
    if (this.#handshake) return this.#admit(this.#handshake, message);
    // A heartbeat.
    if (message[0] === nil) return;
    const { intake, messageLimit, peer, turns } = this.#options;
    using _ = await turns.take(message.length);
    const { entries, chunk } = await readMessage(message, messageLimit);
    const put = await this.#put(await intake.prepare(entries, { source, peer }, message.length));
    if (put === 'safe' && chunk) this.#socket.write(acknowledgementOf(chunk));
    if (put === 'full') {
      if (!chunk) this.lost += message.length;
      throw new Error('No room in the disk queue');
    }
  }

  #admit(handshake: Handshake, message: Buffer): void {
    const { pong, reason } = handshake.answer(message);
    this.#socket.write(pong);
    if (reason !== undefined) {
      this.#options.log.warn('A sender was refused', { source, peer: this.#options.peer, reason });
      this.#socket.end();
      throw new Error(reason);
    }
    clearTimeout(this.#deadline);
    this.#handshake = undefined;
    this.#scan = new MsgpackScan(this.#options.messageLimit);
  }

  /** Without room there is no acknowledgement, and nothing more is read: the sender waits, and sends again if it likes. */
  async #put(tryPut: () => Promise<Put>): Promise<Put> {
    const { intake, signal, waiting } = this.#options;
    let put = await tryPut();
    if (put === 'safe') return put;
    waiting(true);
    while (put === 'full' && !signal.aborted) {
      await intake.room(signal);
      put = await tryPut();
    }
    waiting(false);
    return put;
  }

  /** What has not come whole is nobody's: it was not acknowledged. */
  async end(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#release(this.#filled);
  }
}
