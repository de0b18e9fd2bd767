// Syslog over UDP: a record is a datagram, cut at a limit, and gone as soon as it is sent. Nobody says whether it arrived.

import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { reasonOf } from '@outrigger/core';
import type { Batch } from '../../batch.ts';
import { delivered, type Verdict } from '../sink.ts';

export type DatagramOptions = {
  readonly host: string;
  readonly port: number;
  /** In bytes. */
  readonly limit: number;
  /** Told of the first message that had to be cut. */
  readonly cut: () => void;
};

/** How many are handed to the kernel at once. */
const atOnce = 64;

export class SyslogDatagrams {
  readonly #options: DatagramOptions;
  #socket: Socket | undefined;
  #address = '';
  #cut = false;

  constructor(options: DatagramOptions) {
    this.#options = options;
  }

  async write(batch: Batch, signal: AbortSignal): Promise<Verdict> {
    const socket = await this.#connected();
    const retry: number[] = [];
    let reason = '';
    for (let from = 0; from < batch.records; from += atOnce) {
      signal.throwIfAborted();
      const to = Math.min(from + atOnce, batch.records);
      const indices = Array.from({ length: to - from }, (_, at) => from + at);
      const results = await Promise.allSettled(indices.map((index) => send(socket, this.#datagram(batch, index))));
      for (const [at, result] of results.entries()) {
        if (result.status === 'fulfilled') continue;
        reason = reasonOf(result.reason);
        retry.push(from + at);
      }
    }
    if (retry.length === 0) return delivered;
    return retry.length === batch.records ? { became: 'retry', reason } : { became: 'partly', reason, retry, dead: [] };
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #datagram({ bytes, offsets }: Batch, index: number): Buffer {
    const start = offsets[index]!;
    const end = offsets[index + 1]!;
    const { limit, cut: told } = this.#options;
    if (end - start <= limit) return bytes.subarray(start, end);
    if (!this.#cut) told();
    this.#cut = true;
    let cut = start + limit;
    // Not within a character.
    while (cut > start && (bytes[cut]! & 0xc0) === 0x80) cut--;
    return bytes.subarray(start, cut);
  }

  /** Names may lead elsewhere by now. */
  async #connected(): Promise<Socket> {
    const { host, port } = this.#options;
    const { address, family } = await lookup(host);
    if (this.#socket && address === this.#address) return this.#socket;
    this.close();
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    // What the other side says by ICMP comes with a later datagram as well.
    const connected = Promise.withResolvers<void>();
    socket.on('error', connected.reject);
    socket.connect(port, address, (error?: Error) => (error ? connected.reject(error) : connected.resolve()));
    await connected.promise;
    this.#socket = socket;
    this.#address = address;
    return socket;
  }
}

const send = (socket: Socket, datagram: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.send(datagram, (error) => (error ? reject(error) : resolve()));
  });
