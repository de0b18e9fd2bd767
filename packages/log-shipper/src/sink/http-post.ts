// How sinks post batches over HTTP: connections that are kept, TLS whose files may be rotated, compression that never
// stops the main thread. Redirects are not followed: they would carry credentials to places that nobody chose.

import { Agent, request as requestPlain } from 'node:http';
import type { Agent as SecureAgent } from 'node:https';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { ParameterProblem } from '@outrigger/core';
import type { HttpAnswer } from './http-answer.ts';
import { type Deadlines, exchange } from './http-exchange.ts';
import type { Transport } from './http-parameters.ts';
import { isHangUp, unanswered } from './network-reason.ts';
import type { SinkContext } from './sink.ts';
import { type ClientTls, openTls } from './stream/tls.ts';

/** Below this, what compression saves is less than what it adds. */
const worthPacking = 512;
const chunkSize = 64 * 1024;

const keeping = { keepAlive: true, maxFreeSockets: 2 };

const packers = {
  gzip: (bytes: Buffer, level: number) => promisify(gzip)(bytes, { level, chunkSize }),
  zstd: (bytes: Buffer, level: number) =>
    promisify(zstdCompress)(bytes, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } }),
};

export type Headers = Readonly<Record<string, string>>;
export type Post = {
  readonly body: Buffer;
  readonly signal: AbortSignal;
  readonly headers: Headers;
  /** False for what is small or asked often. */
  readonly pack?: boolean;
};

export class HttpPost implements AsyncDisposable {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #tls: ClientTls | undefined;
  readonly #https: typeof import('node:https') | undefined;
  readonly #plain = new Agent(keeping);
  #secure: SecureAgent | undefined;
  /** What the connections of the agent were made with. */
  #options: ClientTls['options'] | undefined;

  /** TLS is loaded by those who use it only. @param prefix of the sink's parameters, `sinkLoki`. */
  static async open(
    transport: Transport,
    urls: readonly URL[],
    { context: { log }, prefix }: { context: SinkContext; prefix: string },
  ): Promise<HttpPost> {
    const isSecure = urls.some(({ protocol }) => protocol === 'https:');
    const { caFile, certificateFile, keyFile, tlsServerName } = transport;
    // Who names them believes that the connection is safe.
    if (!isSecure && (caFile ?? certificateFile ?? keyFile) !== undefined)
      throw new ParameterProblem(`${prefix}Url`, 'is expected to be https, since TLS files are named');
    const tls = await openTls({ tls: isSecure, caFile, certificateFile, keyFile, tlsServerName }, { log, prefix });
    return new HttpPost(transport, isSecure ? await import('node:https') : undefined, tls);
  }

  private constructor(
    transport: Transport,
    https: typeof import('node:https') | undefined,
    tls: ClientTls | undefined,
  ) {
    this.#transport = transport;
    this.#https = https;
    this.#tls = tls;
    const { connectTimeout: connect, timeout } = transport;
    this.#deadlines = { connect, progress: timeout, response: timeout };
    this.#secure = https && new https.Agent(keeping);
    this.#options = tls?.options;
  }

  /** What is under way may end; nothing new goes over a connection that was made with other files. */
  #renew(): void {
    const before = this.#secure;
    if (!before || this.#options === this.#tls?.options) return;
    this.#options = this.#tls?.options;
    this.#secure = new this.#https!.Agent(keeping);
    before.maxFreeSockets = 0;
    destroyIdle(before);
  }

  /** What the receiver answered, whatever that is. Rejects, with a reason for people, where no answer came. */
  async post(url: URL, { body, signal, headers, pack = true }: Post): Promise<HttpAnswer> {
    const { compression, compressionLevel } = this.#transport;
    const isPacked = pack && compression !== 'none' && body.length >= worthPacking;
    // Awaited even when the signal aborts: the bytes are written anew once this has returned.
    const content = isPacked ? await packers[compression](body, compressionLevel) : body;
    const sent = isPacked ? { ...headers, 'content-encoding': compression } : headers;
    try {
      return await this.#ask(url, { body: content, signal, headers: sent });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // Where a query holds a token, it is not shown.
      throw unanswered(`${url.origin}${url.pathname}`, error);
    }
  }

  async #ask(url: URL, post: Post): Promise<HttpAnswer> {
    const first = this.#request(url, post);
    try {
      return await this.#exchange(first, post);
    } catch (error) {
      // A receiver that closes idle connections is not down: the request may have crossed with that.
      if (!first.reusedSocket || !isHangUp(error) || post.signal.aborted) throw error;
      // The others may have ended in the same way.
      destroyIdle(this.#plain);
      if (this.#secure) destroyIdle(this.#secure);
      return this.#exchange(this.#request(url, post), post);
    }
  }

  #exchange(sent: ReturnType<typeof requestPlain>, { body, signal, headers }: Post): Promise<HttpAnswer> {
    return exchange(sent, body, { deadlines: this.#deadlines, signal, secrets: secretsIn(headers) });
  }

  #request(url: URL, { body, headers }: Post) {
    const isSecure = url.protocol === 'https:';
    if (isSecure) this.#renew();
    const request = isSecure ? this.#https!.request : requestPlain;
    return request(url, {
      method: 'POST',
      agent: isSecure ? this.#secure! : this.#plain,
      headers: {
        // An answer that is compressed could be a bomb.
        'accept-encoding': 'identity',
        'user-agent': 'outrigger-log-shipper',
        ...headers,
        'content-length': body.length,
      },
      ...(isSecure && this.#options),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain.destroy();
    this.#secure?.destroy();
    await this.#tls?.[Symbol.asyncDispose]();
  }
}

function destroyIdle({ freeSockets }: Agent | SecureAgent): void {
  for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
}

/** What of the headers must not be said again: values and the parts of them. */
const secretsIn = (headers: Headers): string[] =>
  Object.entries(headers)
    .filter(([name]) => /auth|key|token|cookie/i.test(name))
    .flatMap(([, value]) => [value, ...value.split(' ')])
    .filter(({ length }) => length >= 8);
