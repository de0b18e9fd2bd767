// Syslog over TCP and UDP, RFC 5424 and RFC 3164. What a message says is the syslog parser's to find.
//
// UDP has no way to say that there is no room, and neither has TCP but not to read: over UDP what finds no room is dropped and
// counted, over TCP the sender stands. The datagram socket /dev/log is not among them: Node.js has no Unix datagram sockets.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  address,
  duration,
  integer,
  type Log,
  listed,
  ParameterConflict,
  ParameterProblem,
  reasonOf,
} from '@outrigger/core';
import type { Intake } from '../intake.ts';
import { LineServer } from './line-server.ts';
import { listenTcp } from './listen.ts';
import { definePushSource, leaving } from './push.ts';
import { SyslogStream, trimEnd } from './syslog-framing.ts';

const name = 'syslog';

export const syslog = definePushSource({
  summary: 'Syslog, RFC 5424 and RFC 3164, over TCP and UDP',
  parameters: {
    tcpAddress: address({
      optional: true,
      help: 'Where to listen for TCP, with either framing',
      example: '127.0.0.1:5140',
    }),
    udpAddress: address({ optional: true, help: 'Where to listen for UDP', example: '127.0.0.1:5140' }),
    connections: integer({ default: '256', min: 1, max: 10_000, help: 'How many may be connected at a time' }),
    idleTimeout: duration({ default: '1h', min: '1s', help: 'After how long without a byte a connection is closed' }),
  },

  async open({ parameters: { tcpAddress, udpAddress, ...parameters }, log, intake }) {
    if (!tcpAddress && !udpAddress)
      throw new ParameterProblem('sourceSyslogTcpAddress', 'is needed, or an address for UDP');
    await using stack = new AsyncDisposableStack();
    const listening: string[] = [];
    let server: LineServer | undefined;
    if (tcpAddress) {
      server = stack.use(
        new LineServer({
          ...parameters,
          log,
          intake,
          name,
          take: (_, options) =>
            new SyslogStream({ ...options, intake, from: { source: name, peer: options.peer, parser: name } }),
        }),
      );
      listening.push(`tcp://${await listenTcp(server.server, tcpAddress, 'sourceSyslogTcpAddress')}`);
    }
    let datagrams: Datagrams | undefined;
    if (udpAddress) {
      datagrams = stack.use(new Datagrams({ log, intake }));
      listening.push(`udp://${await datagrams.listen(udpAddress)}`);
    }
    const all = stack.move();
    return {
      listening: listed(listening),
      get troubles() {
        const reasons = [server?.trouble, datagrams?.trouble].filter((reason) => reason !== undefined);
        return reasons.map((reason) => ({ path: name, reason }));
      },
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  },
});

/** What datagrams may hold while they wait for their turn. */
const waitingLimit = 0x400000;
/** The kernel keeps so many bytes for us, as far as it allows, while we do something else. */
const receiveBuffer = 0x400000;

/** Datagrams that come in one turn of the loop are put together. */
class Datagrams implements AsyncDisposable {
  readonly #log: Log;
  readonly #intake: Intake;
  #socket: Socket | undefined;
  readonly #waiting = new Map<string, Buffer[]>();
  #size = 0;
  #putting: Promise<void> | undefined;
  #dropping = false;

  constructor({ log, intake }: { log: Log; intake: Intake }) {
    this.#log = log;
    this.#intake = intake;
  }

  get trouble(): string | undefined {
    return this.#dropping ? 'datagrams are dropped for want of room in the disk queue' : undefined;
  }

  async listen({ host, port }: { host: string; port: number }): Promise<string> {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: receiveBuffer });
    this.#socket = socket;
    socket.on('message', (message, { address }) => this.#take(message, address));
    try {
      socket.bind({ address: host, port });
      await once(socket, 'listening');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const Refusal = code === 'EADDRINUSE' ? ParameterConflict : ParameterProblem;
      throw new Refusal('sourceSyslogUdpAddress', message, { cause: error });
    }
    socket.on('error', (error) =>
      this.#log.warn('A datagram could not be received', { source: name, reason: error.message }),
    );
    const bound = socket.address();
    return host.includes(':') ? `[${host}]:${bound.port}` : `${host}:${bound.port}`;
  }

  #take(message: Buffer, peer: string): void {
    const trimmed = trimEnd(message);
    if (trimmed.length === 0) return;
    if (this.#size + trimmed.length > waitingLimit) {
      this.#drop(1, trimmed.length);
      return;
    }
    const from = this.#waiting.get(peer);
    if (from) from.push(trimmed);
    else this.#waiting.set(peer, [trimmed]);
    this.#size += trimmed.length;
    this.#putting ??= this.#put();
  }

  #drop(count: number, bytes: number): void {
    if (!this.#dropping) this.#log.warn('Datagrams are dropped for want of room', { source: name });
    this.#dropping = true;
    this.#intake.dropped(name, count, bytes);
  }

  async #put(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#waiting.size > 0) {
      const all = [...this.#waiting];
      this.#waiting.clear();
      await Promise.all(all.map(([peer, messages]) => this.#putFrom(peer, messages)));
    }
    this.#putting = undefined;
  }

  async #putFrom(peer: string, messages: Buffer[]): Promise<void> {
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    try {
      const put = await this.#intake.messages(messages, { source: name, peer, parser: name });
      if (put === 'full') this.#drop(messages.length, bytes);
      else this.#dropping = false;
    } catch (error) {
      this.#log.warn('Datagrams cannot be taken', { source: name, peer, reason: reasonOf(error) });
      this.#intake.dropped(name, messages.length, bytes);
    } finally {
      this.#size -= bytes;
    }
  }

  /** What the kernel still holds is taken for a moment. */
  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket;
    if (!socket) return;
    await new Promise((resolve) => setTimeout(resolve, leaving.quiet));
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    await this.#putting;
  }
}
