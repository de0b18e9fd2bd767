// A proxy that speaks h2, and clients of Node's own for it.

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { type RunningProxy, startProxy } from '../start-proxy.ts';

export const start = (upstream: string, ...flags: string[]): Promise<RunningProxy> =>
  startProxy({ upstream, tls: true, flags });

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>;
  readonly interim: readonly number[];
  readonly body: string;
  /** 0 unless the stream was reset. */
  readonly code: number;
};

/** One connection; disposing of it cuts it off. */
export class H2Client implements Disposable {
  readonly session: ClientHttp2Session;
  errors: Error[] = [];
  goaways = 0;

  private constructor(session: ClientHttp2Session) {
    this.session = session.on('error', (error) => this.errors.push(error)).on('goaway', () => this.goaways++);
  }

  static async open(port: number): Promise<H2Client> {
    const client = new H2Client(connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }));
    await once(client.session, 'remoteSettings');
    return client;
  }

  /** Opens a stream whose failure is in its answer. */
  request(headers: OutgoingHttpHeaders, ends = true): ClientHttp2Stream {
    const stream = this.session.request({ ':authority': 'example.com', ...headers }, { endStream: ends });
    return stream.on('error', (error) => this.errors.push(error));
  }

  async get(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return await answerOn(this.request({ ':path': path, ...headers }));
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** All that comes on a stream, whatever it is. */
export async function answerOn(stream: ClientHttp2Stream): Promise<Answer> {
  const parts: Buffer[] = [];
  const interim: number[] = [];
  let headers: Answer['headers'] = {};
  let trailers: Answer['trailers'] = {};
  stream
    .on('headers', (fields) => interim.push(Number(fields[':status'])))
    .on('response', (fields) => {
      headers = fields as Answer['headers'];
    })
    .on('trailers', (fields) => {
      trailers = fields as Answer['trailers'];
    })
    .on('data', (octets: Buffer) => parts.push(octets));
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve));
  const status = Number(headers[':status'] ?? 0);
  return { status, headers, trailers, interim, body: Buffer.concat(parts).toString(), code: stream.rstCode ?? 0 };
}

/** What the proxy says of its clients' connections. */
export async function connectionsOf(proxy: RunningProxy): Promise<readonly unknown[]> {
  return (await (await proxy.sidecar.get('/v1/connections')).json()) as unknown[];
}
