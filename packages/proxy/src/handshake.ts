// A connection whose TLS handshake is under way.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { answerOf, send } from './answer.ts';
import type { Connection } from './connection.ts';
import { refusals } from './http/refusal.ts';
import type { Endpoints } from './tcp/address.ts';
import { addressOf } from './tcp/address.ts';
import { MORE, NONE, serverNameIn } from './tls/client-hello.ts';
import type { Termination, Verdict } from './tls/termination.ts';
import type { Traffic } from './traffic.ts';

export type Expected = {
  readonly termination: Termination;
  readonly endpoints: Endpoints;
  /** Takes the socket over, in the turn in which the handshake ended. */
  done(socket: TLSSocket, verdict: Verdict): void;
  /** Clients that speak plain HTTP are told so. */
  readonly http: boolean;
};

/** 'close' follows and ends the TLS socket too; without a listener the process would end. It outlives the handshake. */
const leaveToClose = () => undefined;

export class Handshake implements Connection {
  readonly protocol = 'tcp';
  readonly state = 'reading';
  readonly requests = 0;
  readonly unsent = 0;
  readonly tls = undefined;
  readonly since = new Date();
  readonly deadline: number;
  readonly #traffic: Traffic;
  readonly #expected: Expected;
  readonly #raw: Socket;
  /** Undefined as long as it is not known by which name the client asks. */
  #socket: TLSSocket | undefined;
  #hello: Buffer | undefined;
  #cause: string | undefined;
  readonly #onReadable = () => this.#readHello();
  readonly #onSecure = () => this.#secure();
  readonly #onError = (error: NodeJS.ErrnoException) => this.#failed(error);
  readonly #onRawError = ({ message }: Error) => this.#blame(message);
  readonly #onClose = () => this.#fail();
  /** It says no more, so nothing will come of it. */
  readonly #onFin = () => this.#abandon('the client has ended');

  constructor(raw: Socket, traffic: Traffic, expected: Expected) {
    this.#raw = raw;
    this.#traffic = traffic;
    this.#expected = expected;
    this.deadline = traffic.now + traffic.parameters.handshakeTimeout;
    traffic.handshakes++;
    raw.on('error', this.#onRawError);
    if (expected.termination.choosesByName) this.#listen();
    else this.#begin(undefined);
  }

  // Not 'data': a socket that has been flowing would have to be paused, and TLS told.
  #listen(): void {
    this.#raw.on('readable', this.#onReadable).on('end', this.#onFin).on('close', this.#onClose);
  }

  #readHello(): void {
    const octets: Buffer | null = this.#raw.read();
    if (!octets) return;
    const hello = this.#hello ? Buffer.concat([this.#hello, octets]) : octets;
    this.#hello = hello;
    const name = serverNameIn(hello);
    if (name === MORE) return;
    this.#hello = undefined;
    this.#raw.off('readable', this.#onReadable).off('end', this.#onFin).off('close', this.#onClose);
    this.#raw.unshift(hello);
    this.#begin(name === NONE ? undefined : name);
  }

  #begin(name: string | undefined): void {
    this.#socket = this.#expected.termination
      .wrap(this.#raw, name)
      .on('secure', this.#onSecure)
      .on('error', this.#onError)
      .on('end', this.#onFin)
      .on('close', this.#onClose);
  }

  get #tip(): Socket {
    return this.#socket ?? this.#raw;
  }

  get address(): string {
    return addressOf(this.#expected.endpoints.source);
  }

  #secure(): void {
    const socket = this.#socket!;
    const verdict = this.#expected.termination.judge(socket);
    socket
      .off('secure', this.#onSecure)
      .off('error', this.#onError)
      .off('end', this.#onFin)
      .off('close', this.#onClose);
    this.#raw.on('error', leaveToClose).off('error', this.#onRawError);
    // A socket that no tls.Server made says for ever that it is still connecting, and node:http2 would wait for that.
    Object.assign(socket, { secureConnecting: false });
    this.#expected.done(socket, verdict);
    this.#end();
  }

  #end(): void {
    this.#traffic.handshakes--;
    this.#traffic.forget(this);
  }

  /** The one end of all that did not become a connection. */
  #fail(): void {
    this.#tip.off('close', this.#onClose);
    this.#traffic.tally.metrics.handshakeFailures.inc();
    const cause = this.#cause ?? 'the client is gone';
    this.#traffic.log.debug('TLS handshake failed', { client: this.address, cause });
    this.#end();
  }

  /** 'close' follows. What came first is the cause of the rest. */
  #blame(cause: string): void {
    this.#cause ??= cause;
  }

  #failed({ code, message }: NodeJS.ErrnoException): void {
    this.#blame(message);
    const { refusals } = this.#traffic.tally.metrics;
    if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') refusals.inc({ reason: 'certificate_missing' });
    if (code === 'ERR_SSL_HTTP_REQUEST' && this.#expected.http) this.#explain();
  }

  #abandon(cause: string): void {
    this.#blame(cause);
    this.#tip.destroy();
  }

  /** Plain HTTP on the port of HTTPS: the usual mistake gets an answer that says so. */
  #explain(): void {
    const { status, reason, detail } = refusals.plainHttp;
    this.#traffic.tally.metrics.refusals.inc({ reason });
    const problem = answerOf({ status, code: 'PROXY_REQUEST_REFUSED', detail, reason });
    const write = (octets: Buffer) => this.#raw.write(octets);
    send({ streams: undefined, write }, problem, { close: true, bodiless: false });
    this.#raw.end();
  }

  onDeadline(): void {
    this.#abandon('it took too long');
  }

  /** Its place is needed, and free at once. */
  giveWay(): void {
    this.#abandon('too many handshakes at once');
    this.#fail();
  }

  /** It has asked for nothing yet. */
  drain(): void {
    this.#abandon('the proxy is stopping');
  }
}
