// A syslog receiver that takes nothing for granted: every frame and every part of a message is checked.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { makeAddress } from '@outrigger/core';

export type Message = {
  readonly priority: number;
  readonly timestamp: string;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  readonly structuredData: string;
  readonly text: string;
};

const data = String.raw`-|(?:\[[!-~]+?(?: [!-~]+?="(?:[^"\\\]]|\\["\\\]])*")*\])+`;
const whole = new RegExp(
  String.raw`^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (${data}) (.*)$`,
  's',
);

export function parse5424(bytes: Buffer): Message {
  const [, priority, timestamp, hostname, appName, procId, msgId, structuredData, text] =
    whole.exec(bytes.toString('utf8')) ?? [];
  if (priority === undefined || Number(priority) > 191) throw new Error(`no RFC 5424 message: ${bytes.toString()}`);
  return {
    ...{ priority: Number(priority), timestamp: timestamp!, hostname: hostname!, appName: appName! },
    ...{ procId: procId!, msgId: msgId!, structuredData: structuredData!, text: text! },
  };
}

/** All whole frames, and how many bytes are left. Throws where a frame does not begin with its length. */
export function unframe(bytes: Buffer, framing: 'octet-counting' | 'lf'): { frames: Buffer[]; left: number } {
  const frames: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf(framing === 'lf' ? 0x0a : 0x20, at);
    if (end < 0) return { frames, left: bytes.length - at };
    const prefix = bytes.toString('latin1', at, end);
    if (framing === 'octet-counting' && !/^[1-9]\d{0,8}$/.test(prefix)) throw new Error(`no length: ${prefix}`);
    const start = framing === 'lf' ? at : end + 1;
    const stop = framing === 'lf' ? end : start + Number(prefix);
    if (stop > bytes.length) return { frames, left: bytes.length - at };
    frames.push(bytes.subarray(start, stop));
    at = framing === 'lf' ? end + 1 : stop;
  }
}

export class SyslogReceiver implements AsyncDisposable {
  readonly #pieces: Buffer[][] = [];
  /** How many bytes have come. */
  bytes = 0;
  readonly server;
  readonly sockets = new Set<Socket>();
  /** Whether what comes is read. */
  reads = true;

  private constructor(tls?: TlsOptions) {
    const serve = (socket: Socket) => this.#serve(socket);
    this.server = tls ? createTlsServer(tls, serve) : createServer(serve);
  }

  static async listen({ port = 0, tls }: { port?: number; tls?: TlsOptions } = {}) {
    const receiver = new SyslogReceiver(tls);
    receiver.server.listen(port, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get address() {
    return makeAddress('127.0.0.1', (this.server.address() as AddressInfo).port);
  }

  #serve(socket: Socket): void {
    const pieces: Buffer[] = [];
    this.#pieces.push(pieces);
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => socket.destroy());
    if (!this.reads) return void socket.pause();
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      this.bytes += bytes.length;
    });
  }

  /** What came over each connection. */
  get streams(): Buffer[] {
    return this.#pieces.map((pieces) => Buffer.concat(pieces));
  }

  /** Of all connections. */
  messages(framing: 'octet-counting' | 'lf' = 'octet-counting'): Message[] {
    return this.streams.flatMap((bytes) => unframe(bytes, framing).frames.map(parse5424));
  }

  get texts(): string[] {
    return this.messages().map(({ text }) => text);
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.hangUp();
    if (this.server.listening) await once(this.server, 'close');
  }
}

export async function listenForDatagrams() {
  const socket = createSocket('udp4');
  const datagrams: Buffer[] = [];
  socket.on('message', (bytes) => datagrams.push(bytes));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    datagrams,
    address: makeAddress('127.0.0.1', socket.address().port),
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}
