// The ways in which each bad input is given: over plain HTTP and over TLS, in one piece and octet by octet.

import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { dial, Raw, RawApplication, type Serve } from '../raw.ts';
import { type RunningProxy, startProxy } from '../start-proxy.ts';

export type Way = { readonly name: string; readonly tls: boolean; readonly slowly: boolean };

export const ways: readonly Way[] = [
  { name: 'plain, whole', tls: false, slowly: false },
  { name: 'plain, octet by octet', tls: false, slowly: true },
  { name: 'TLS, whole', tls: true, slowly: false },
  { name: 'TLS, octet by octet', tls: true, slowly: true },
];

/** An application and the two proxies before it. */
export type Bench = AsyncDisposable & {
  readonly application: RawApplication;
  proxyOf(way: Pick<Way, 'tls'>): RunningProxy;
  dial(way: Pick<Way, 'tls'>): Promise<Raw>;
};

export async function openBench(serve: Serve, flags: readonly string[] = []): Promise<Bench> {
  const application = await RawApplication.open(serve);
  const [plain, secure] = await Promise.all(
    [false, true].map((tls) => startProxy({ upstream: application.url, tls, flags })),
  );
  const proxyOf = ({ tls }: Pick<Way, 'tls'>) => (tls ? secure! : plain!);
  return {
    application,
    proxyOf,
    dial: (way) => (way.tls ? dialTls(secure!) : dial(plain!.port)),
    async [Symbol.asyncDispose]() {
      await Promise.all([plain![Symbol.asyncDispose](), secure![Symbol.asyncDispose]()]);
      await application[Symbol.asyncDispose]();
    },
  };
}

export async function dialTls({ port, ca }: Pick<RunningProxy, 'port' | 'ca'>): Promise<Raw> {
  const below = connectPlain({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  // The types of tls.connect do not know allowHalfOpen.
  const options = { socket: below, ca, servername: 'localhost', allowHalfOpen: true };
  const raw = new Raw(connect(options as ConnectionOptions));
  carriers.set(raw, below);
  await once(raw.socket, 'secureConnect');
  return raw;
}

const carriers = new WeakMap<Raw, Socket>();

/** Over TLS too it is the connection below that is reset. */
export function reset(client: Raw): void {
  (carriers.get(client) ?? client.socket).resetAndDestroy();
}

/** Octet by octet each one is a packet, over TLS a record, of its own. */
export async function give(client: Raw, octets: string, { slowly }: Pick<Way, 'slowly'>): Promise<void> {
  if (!slowly) client.send(octets);
  for (const octet of slowly ? octets : '') {
    if (client.closed) return;
    client.send(octet);
    // The other side shall have read it before the next one comes.
    await turn();
  }
}

/** The members of the problem in an answer that is one. */
export function problemOf(answer: string): Record<string, unknown> {
  const start = answer.indexOf('\r\n\r\n');
  return JSON.parse(answer.slice(start + 4));
}

/** Answers every request once it is whole. */
export const answerWhole: Serve = (connection) => {
  const answered = connection.text.split('\r\n\r\n').length > 1 && requestsIn(connection.text);
  for (let sent = answers.get(connection) ?? 0; answered && sent < answered; sent++) {
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    answers.set(connection, sent + 1);
  }
};

const answers = new WeakMap<Raw, number>();

/** How many whole requests there are, as the proxy frames them. */
function requestsIn(text: string): number {
  let count = 0;
  for (let at = 0; ; count++) {
    const end = text.indexOf('\r\n\r\n', at) + 4;
    if (end < 4) return count;
    const head = text.slice(at, end);
    if (/^transfer-encoding: chunked\r$/im.test(head)) {
      const last = /(?:^|\r\n)0\r\n\r\n/.exec(text.slice(end));
      if (!last) return count;
      at = end + last.index + last[0].length;
    } else {
      at = end + Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
      if (at > text.length) return count;
    }
  }
}

/** The octets of the application without what the proxy says of the client, and with the chunks of a body in one piece. */
export function withoutOwn(text: string): string {
  const plain = text.replace(/X-Forwarded-(For: 127\.0\.0\.1|Proto: https?|Host: \S+)\r\n/g, '');
  const body = plain.indexOf('\r\n\r\n') + 4;
  if (!/^transfer-encoding: chunked\r$/im.test(plain.slice(0, body))) return plain;
  let data = '';
  let at = body;
  for (;;) {
    const [line, length] = /^([1-9a-f][\da-f]*)\r\n/i.exec(plain.slice(at)) ?? [];
    if (!line) break;
    const from = at + line.length;
    const end = from + Number.parseInt(length!, 16);
    data += plain.slice(from, end);
    at = end + 2;
  }
  const joined = data && `${data.length.toString(16)}\r\n${data}\r\n`;
  return plain.slice(0, body) + joined + plain.slice(at);
}
