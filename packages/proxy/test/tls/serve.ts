// A termination on a real listener, in this process: it tells each client whom it takes it for.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Events, type Fields, Health, type Log, reasonOf, Stages } from '@outrigger/core';
import { type Scratch, scratch } from '@outrigger/core/testing';
import { MORE, NONE, serverNameIn } from '../../src/tls/client-hello.ts';
import type { TlsSettings } from '../../src/tls/settings.ts';
import { openTermination, type Termination, type Verdict } from '../../src/tls/termination.ts';
import type { Issued } from './make.ts';

type Changeable<T> = { -readonly [K in keyof T]: T[K] };

export type Served = AsyncDisposable & {
  readonly port: number;
  readonly directory: Scratch;
  readonly termination: Termination;
  /** Live, as the parameters of a sidecar are. */
  readonly settings: Changeable<TlsSettings>;
  readonly health: Health;
  /** Tell of settings that were changed. */
  readonly events: Events;
  readonly logs: readonly { readonly level: string; readonly message: string; readonly fields: Fields }[];
  /** By name, labels and all: `certificateReloads{"result":"used"}`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What was said of those that were not let in. */
  readonly refused: readonly Verdict[];
  /** Errors of connections, of the handshake and after. */
  readonly errors: readonly NodeJS.ErrnoException[];
  readonly sockets: readonly TLSSocket[];
  /** Connects, asks who it is, and hangs up. */
  ask(options?: ConnectionOptions): Promise<Answer>;
};

export type Answer = {
  /** Common name of the certificate that the client was shown. */
  readonly shown: string;
  readonly protocol: string | null;
  readonly cipher: string;
  readonly reused: boolean;
  readonly alpn: string | false | null;
  /** The newest ticket. */
  readonly session: Buffer | undefined;
  /** Undefined when the connection was closed without a word. */
  readonly identity: Identified | undefined;
  /** What the client heard of a refusal, in OpenSSL's words. */
  readonly error: string | undefined;
};

export type Identified = {
  readonly subject?: string;
  readonly cn?: string;
  readonly dns?: readonly string[];
  readonly uri?: readonly string[];
  readonly spki?: string;
  readonly lines: string;
  readonly refusal?: string;
};

type Options = Partial<TlsSettings> & {
  readonly pairs: readonly Issued[];
  readonly ca?: string;
  readonly crl?: string;
  /** Done with an accepted socket before its handshake. */
  readonly before?: (raw: Socket) => Promise<unknown>;
};

export async function serve({ pairs, ca, crl, before, ...more }: Options): Promise<Served> {
  const directory = await scratch();
  const names = pairs.map((_, at) => `${at}`);
  await Promise.all(pairs.map((pair, at) => writePair(directory, `${at}`, pair)));
  if (ca !== undefined) await writeFile(directory.join('ca.crt'), ca);
  if (crl !== undefined) await writeFile(directory.join('ca.crl'), crl);
  const settings: TlsSettings = {
    ...{ mode: 'http', tlsMinimumVersion: '1.2', tlsTicketRotation: 12 * 3_600_000, tlsReloadPeriod: 50 },
    tlsCertificateFile: names.map((name) => directory.join(`${name}.crt`)),
    tlsKeyFile: names.map((name) => directory.join(`${name}.key`)),
    ...(ca !== undefined && { clientCaFile: directory.join('ca.crt') }),
    ...(crl !== undefined && { clientCrlFile: directory.join('ca.crl') }),
    ...more,
  };
  return await listenWith(settings, directory, before);
}

export async function writePair(directory: Scratch, name: string, { cert, key }: Issued): Promise<void> {
  await writeFile(directory.join(`${name}.crt`), cert);
  await writeFile(directory.join(`${name}.key`), key, { mode: 0o600 });
}

async function listenWith(settings: TlsSettings, directory: Scratch, before: Options['before']): Promise<Served> {
  const stack = new Stages();
  const health = new Health();
  const logs: { level: string; message: string; fields: Fields }[] = [];
  const metrics: Record<string, number> = {};
  const events = new Events();
  const context = { parameters: settings, health, log: logInto(logs), stack, events };
  const termination = await openTermination(context, { metrics: metricsInto(metrics) });
  if (!termination) throw new Error('TLS is off');
  const refused: Verdict[] = [];
  // As the proxy does: a client that needs no certificate is told what is wrong with the one it has.
  const explains = settings.clientCertificate === 'optional';
  const errors: Error[] = [];
  const sockets: TLSSocket[] = [];
  const server = createServer({ allowHalfOpen: true }, async (raw) => {
    // As the proxy's own listener does.
    raw.on('error', (error) => errors.push(error));
    await before?.(raw);
    const name = termination.choosesByName ? await askedName(raw) : undefined;
    const socket = termination.wrap(raw, name).on('error', (error) => errors.push(error));
    sockets.push(socket);
    socket.on('secure', () => answer(socket, termination.judge(socket), { refused, explains }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ port, directory, termination, settings, health, events, logs, metrics, refused, errors, sockets },
    ask: (options) => ask(port, options),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await stack.stop(10_000);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The name that the client asks for, read as handshake.ts does. */
async function askedName(raw: Socket): Promise<string | undefined> {
  let hello = Buffer.alloc(0);
  for (;;) {
    await once(raw, 'readable');
    hello = Buffer.concat([hello, (raw.read() as Buffer | null) ?? Buffer.alloc(0)]);
    const name = serverNameIn(hello);
    if (name === MORE) continue;
    raw.unshift(hello);
    return name === NONE ? undefined : name;
  }
}

function answer(
  socket: TLSSocket,
  verdict: Verdict,
  { refused, explains }: { refused: Verdict[]; explains: boolean },
): void {
  const { refusal, identity } = verdict;
  if (refusal) refused.push(verdict);
  if (refusal && !explains) {
    socket.destroy();
    return;
  }
  const { lines, ...rest } = identity ?? { lines: '' };
  const said = refusal ? { refusal } : { ...rest, lines: lines.toString('latin1') };
  socket.on('data', () => socket.write(`${JSON.stringify(said)}\n`)).on('end', () => socket.end());
}

function logInto(logs: { level: string; message: string; fields: Fields }[]): Log {
  const say =
    (level: string) =>
    (message: string | Error, fields: Fields = {}) =>
      void logs.push({ level, message: typeof message === 'string' ? message : reasonOf(message), fields });
  return {
    ...{ trace: say('trace'), debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    setLevel: () => undefined,
  };
}

function metricsInto(metrics: Record<string, number>) {
  const gauge = (name: string) => ({
    set(labels: object, value: number) {
      metrics[name + JSON.stringify(labels)] = value;
    },
  });
  const inc = (labels: object) => {
    const name = `certificateReloads${JSON.stringify(labels)}`;
    metrics[name] = (metrics[name] ?? 0) + 1;
  };
  return {
    certificateNotAfter: gauge('certificateNotAfter'),
    crlNextUpdate: gauge('crlNextUpdate'),
    certificateReloads: { inc },
  };
}

export function clientWith({ cert, key }: Issued, more: ConnectionOptions = {}): ConnectionOptions {
  return { cert, key, ...more };
}

async function ask(port: number, options: ConnectionOptions = {}): Promise<Answer> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  let heard = '';
  let error: string | undefined;
  socket
    .on('session', (ticket) => {
      session = ticket;
    })
    .on('error', ({ message }) => {
      error = message;
    })
    .on('data', (octets) => {
      heard += octets;
      if (heard.endsWith('\n')) socket.end();
    });
  socket.write('?');
  let facts = { shown: '', protocol: null as string | null, cipher: '', reused: false };
  socket.on('secureConnect', () => {
    const shown = String(socket.getPeerX509Certificate()?.subject ?? '').replace(/^CN=/, '');
    facts = {
      shown,
      protocol: socket.getProtocol(),
      cipher: socket.getCipher().name,
      reused: socket.isSessionReused(),
    };
  });
  await new Promise((resolve) => socket.once('close', resolve));
  const identity = heard ? (JSON.parse(heard) as Identified) : undefined;
  return { ...facts, alpn: socket.alpnProtocol, session, identity, error };
}
