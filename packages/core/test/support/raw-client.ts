// A TCP client that sends whatever bytes it is told to, for requests that no HTTP client would make.

import { connect, type Socket } from 'node:net';
import { until } from '../../src/testing/index.ts';

export type RawClient = Disposable & {
  readonly socket: Socket;
  /** All that came back so far, a character per byte. */
  readonly received: string;
  /** The other side has ended or reset the connection. */
  readonly closed: boolean;
  /** Waits for the end of the connection and returns all that came back. */
  rest(deadline?: number): Promise<string>;
};

/** @param url of which host and port count */
export function connectRaw(url: string, { host }: { readonly host?: string } = {}): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: host ?? hostname.replace(/[[\]]/g, '') });
    let received = '';
    let closed = false;
    const client: RawClient = {
      socket,
      get received() {
        return received;
      },
      get closed() {
        return closed;
      },
      async rest(deadline = 15_000) {
        const what = () => `the end of the connection, which said: ${received.slice(0, 500)}`;
        await until(() => closed, { deadline, what });
        return received;
      },
      [Symbol.dispose]: () => socket.destroy(),
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    for (const end of ['end', 'close'] as const)
      socket.on(end, () => {
        closed = true;
      });
    socket.once('error', reject);
    socket.once('connect', () => {
      // From here on a reset is one way for the other side to end it.
      socket.off('error', reject).on('error', () => undefined);
      resolve(client);
    });
  });
}

/** Sends bytes as they are and returns what came back until the other side ended the connection. */
export async function say(url: string, bytes: string | Buffer, host?: string): Promise<string> {
  using client = await connectRaw(url, host === undefined ? {} : { host });
  client.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return await client.rest();
}

// Of a Host only the name counts; the port may be that of a Service or a forwarding.
export const own = '127.0.0.1:7070';

/** @param line `GET /livez` */
export const request = (line: string, ...headers: string[]): string =>
  `${[`${line} HTTP/1.1`, `Host: ${own}`, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;

export const get = (target: string, ...headers: string[]): string => request(`GET ${target}`, ...headers);

/** The status of each answer, in order. */
export const statuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Many connections, opened a few at a time so that no queue of the kernel overflows. */
export async function connectMany(url: string, count: number): Promise<Disposable & { readonly clients: RawClient[] }> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(100, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => connectRaw(url)))));
  }
  return {
    clients,
    [Symbol.dispose]: () => {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}
