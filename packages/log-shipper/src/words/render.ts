// `log-shipper render --sink X < sample`: the exact bytes that a sink would send, without sending them. The sink is the real
// one; only where it connects to is this process.

import { isUtf8 } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Address, makeAddress, reasonOf, Secret, wait } from '@outrigger/core';
import type { SinkMember } from '../sink/sink.ts';
import { batchOf, type Sampled, wordContext } from './sample.ts';

type Values = Readonly<Record<string, unknown>>;

/** Milliseconds that what was sent may take to arrive here. */
const patience = 1000;
/** What is no HTTP says nowhere that it is whole: it is when nothing more comes for so many milliseconds. */
const silence = 200;

/** One request, or what stands for it, of each sink. */
export async function render(parameters: Sampled): Promise<Buffer> {
  const lines = Buffer.concat((await process.stdin.toArray()) as Buffer[]);
  const said: Buffer[] = [];
  for (const { name, member, parameters: own } of parameters.sink) {
    const request = await rendered(member, own, { lines, parameters });
    if (parameters.sink.length > 1) said.push(Buffer.from(`# ${name}\n`), request, Buffer.from('\n'));
    else said.push(request);
  }
  return Buffer.concat(said);
}

async function rendered(
  member: SinkMember,
  own: Values,
  { lines, parameters }: { lines: Buffer; parameters: Sampled },
): Promise<Buffer> {
  await using catcher = await Catcher.open();
  const ending = new AbortController();
  const sink = await member.open(redirected(own, catcher.port) as never, wordContext(ending.signal));
  try {
    const batch = await batchOf(lines, sink, parameters);
    if (!batch) return Buffer.alloc(0);
    if (sink.local) return Buffer.from(batch.bytes);
    // What it makes of the answer is of no interest, and where nobody answers it is done before anything has arrived.
    const written = sink.write(batch, ending.signal).then(
      (verdict) => ('reason' in verdict ? verdict.reason : undefined),
      (error: unknown) => reasonOf(error),
    );
    await Promise.race([catcher.complete, written.then(() => wait(patience))]);
    const { caught } = catcher;
    if (caught.length === 0) throw new Error(`nothing was sent: ${(await written) ?? 'nobody knows why'}`);
    return shown(caught, own, catcher.port);
  } finally {
    ending.abort(new Error('it is rendered'));
    await sink.close?.();
  }
}

/** Everything that says where to connect says us; nothing is compressed or encrypted, so that it can be read. */
function redirected(own: Values, port: number): Values {
  const here = (value: unknown): unknown => {
    if (value instanceof URL) {
      const url = new URL(value);
      [url.protocol, url.host] = ['http:', `127.0.0.1:${port}`];
      return url;
    }
    if (isAddress(value)) return makeAddress('127.0.0.1', port);
    return Array.isArray(value) ? value.map(here) : value;
  };
  const plain = {
    compression: 'none',
    compress: 'none',
    tls: false,
    caFile: undefined,
    certificateFile: undefined,
    keyFile: undefined,
    // Of Forward: there is a receiver behind a Unix socket, too, and a handshake is not what is asked for.
    sharedKey: undefined,
    username: undefined,
    ...(own.username !== undefined && { password: undefined }),
    socketPath: undefined,
    ...(own.socketPath !== undefined && { address: [makeAddress('127.0.0.1', port)] }),
  };
  return Object.fromEntries(
    Object.entries(own).map(([name, value]) => [
      name,
      Object.hasOwn(plain, name) ? plain[name as keyof typeof plain] : here(value),
    ]),
  );
}

const isAddress = (value: unknown): value is Address =>
  typeof value === 'object' && value !== null && 'host' in value && 'port' in value;

/** Takes what comes, by TCP or UDP, and answers as a receiver that is content. */
class Catcher implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #datagrams = createSocket('udp4', (datagram) => this.#take(datagram));
  readonly #chunks: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #complete = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  static async open(): Promise<Catcher> {
    const catcher = new Catcher();
    catcher.#server.listen(0, '127.0.0.1');
    await once(catcher.#server, 'listening');
    catcher.#datagrams.bind(catcher.port, '127.0.0.1');
    await once(catcher.#datagrams, 'listening');
    return catcher;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get caught(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Resolves when a request is whole, or what is no request pauses. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    // On a busy machine even the first byte may take longer; without any, the sink's own time-outs end it.
    socket.setTimeout(silence, () => this.#chunks.length > 0 && this.#complete.resolve());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      if (!isWholeRequest(this.caught)) return;
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      this.#complete.resolve();
    });
  }

  /** Each on a line of its own: nothing in it says where it ends. */
  #take(datagram: Buffer): void {
    this.#chunks.push(datagram, newline);
    this.#timer ??= setTimeout(() => this.#complete.resolve(), silence);
    this.#timer.refresh();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#datagrams.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const newline = Buffer.from('\n');

function isWholeRequest(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)$/im.exec(bytes.toString('latin1', 0, end))?.[1];
  return end !== -1 && length !== undefined && bytes.length >= end + 4 + Number(length);
}

const credential = /^((?:[\w-]*(?:auth|key|token|cookie|secret|password)[\w-]*): )(?!0\r).*$/gim;

/** As it would be sent, but for what is secret. */
function shown(caught: Buffer, own: Values, port: number): Buffer {
  const end = caught.indexOf('\r\n\r\n');
  const isRequest = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(caught.toString('latin1', 0, 4096));
  if (!isRequest) return isUtf8(caught) ? withoutSecrets(caught.toString(), own) : caught;
  const head = caught.toString('latin1', 0, end).replace(credential, '$1[redacted]');
  const targets = Object.values(own)
    .flat()
    .filter((value) => value instanceof URL);
  const host = targets[0] ? head.replaceAll(`127.0.0.1:${port}`, targets[0].host) : head;
  const said = host.replace(
    /^(\S+ [^\s?]*\?)(\S*)/,
    (_, path: string, query: string) => path + withoutValues(query, targets),
  );
  return withoutSecrets(`${said.replaceAll('\r\n', '\n')}\n\n${caught.toString('utf8', end + 4)}`, own);
}

/** Of a query that somebody wrote into a URL nobody knows what is secret; what the sink adds by itself is not. */
function withoutValues(query: string, targets: readonly URL[]): string {
  const written = new Set(targets.flatMap(({ searchParams }) => [...searchParams.keys()]));
  const shown = query.split('&').map((pair) => {
    const [name] = new URLSearchParams(pair).keys();
    if (name === undefined || !written.has(name)) return pair;
    // Alone it may well be the secret.
    return pair.replace(/^([^=]*=)?.*/s, '$1[redacted]');
  });
  return shown.join('&');
}

function withoutSecrets(text: string, own: Values): Buffer {
  const secrets = Object.values(own).filter((value) => value instanceof Secret);
  return Buffer.from(secrets.reduce((shown, secret) => shown.replaceAll(secret.read(), '[redacted]'), text));
}
