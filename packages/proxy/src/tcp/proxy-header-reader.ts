// A connection whose PROXY protocol header is still to come. It is read off the raw socket, before TLS, and what follows it
// is put back, so whoever takes the socket over next finds it as if it had just been accepted.

import type { Socket } from 'node:net';
import type { Connection } from '../connection.ts';
import { INVALID, MORE, readProxyHeader } from '../proxy-protocol.ts';
import type { Traffic } from '../traffic.ts';
import { addressOf, type Endpoints, endpointsOf } from './address.ts';

export type ExpectedHeader = {
  readonly traffic: Traffic;
  /** How long the header may take. */
  readonly milliseconds: number;
  /** Takes the socket over. @param endpoints what the header says, else the socket's own. */
  done(endpoints: Endpoints): void;
};

type Reason = 'proxy_header' | 'proxy_header_timeout';

export class ProxyHeaderReader implements Connection {
  readonly protocol = 'tcp';
  readonly state = 'reading';
  readonly requests = 0;
  readonly unsent = 0;
  readonly tls = undefined;
  readonly address: string;
  readonly since = new Date();
  readonly deadline: number;
  readonly #socket: Socket;
  readonly #expected: ExpectedHeader;
  #read: Buffer | undefined;
  readonly #onReadable = () => this.#readMore();
  readonly #onEnd = () => this.#refuse('proxy_header');
  readonly #onClose = () => this.#expected.traffic.forget(this);
  readonly #onError = (error: Error) => this.#say('Client connection failed', error.message);

  constructor(socket: Socket, expected: ExpectedHeader) {
    this.#socket = socket;
    this.#expected = expected;
    this.address = addressOf(endpointsOf(socket)?.source);
    this.deadline = expected.traffic.now + expected.milliseconds;
    // Not 'data': a socket that has been flowing would have to be paused, and the next reader told.
    socket
      .on('readable', this.#onReadable)
      .on('end', this.#onEnd)
      .on('close', this.#onClose)
      .on('error', this.#onError);
  }

  #readMore(): void {
    const octets: Buffer | null = this.#socket.read();
    if (!octets) return;
    const read = this.#read ? Buffer.concat([this.#read, octets]) : octets;
    const header = readProxyHeader(read, 0, read.length);
    if (header === INVALID) this.#refuse('proxy_header');
    else if (header === MORE) this.#read = read;
    else this.#handOver(header.endpoints ?? endpointsOf(this.#socket), read.subarray(header.next));
  }

  #handOver(endpoints: Endpoints | undefined, rest: Buffer): void {
    const socket = this.#socket
      .off('readable', this.#onReadable)
      .off('end', this.#onEnd)
      .off('close', this.#onClose)
      .off('error', this.#onError);
    if (rest.length > 0) socket.unshift(rest);
    // Without an address it has been reset in the meantime.
    if (endpoints) this.#expected.done(endpoints);
    else socket.destroy();
    this.#expected.traffic.forget(this);
  }

  /** Closes without an answer: whoever does not speak the protocol is not meant to be here. */
  #refuse(reason: Reason): void {
    this.#expected.traffic.tally.metrics.refusals.inc({ reason });
    this.#say('PROXY protocol header refused', reason);
    this.#socket.destroy();
  }

  #say(message: string, cause: string): void {
    this.#expected.traffic.log.debug(message, { client: this.address, cause });
  }

  onDeadline(): void {
    this.#refuse('proxy_header_timeout');
  }

  /** It has asked for nothing yet. */
  drain(): void {
    this.#socket.destroy();
  }
}
