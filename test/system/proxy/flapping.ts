// An application that does everything wrong that an application can do, each thing now and then, and dies now and then.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { below, choose, type Random } from '@outrigger/core/testing';

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly body: Buffer;
  /** No other request has come on the connection since. */
  readonly isLatest: () => boolean;
};
type Behaviour = (exchange: Exchange) => unknown;

const head = (length: number, connection = 'keep-alive') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: ${connection}\r\n\r\n`;

const behaviours = {
  'answers at once': ({ response, body }) => response.end(body),
  'answers in chunks': ({ response, body }) => {
    response.write(body.subarray(0, body.length / 2));
    response.end(body.subarray(body.length / 2));
  },
  'answers after the whole request': ({ request, response, body }) =>
    request.resume().on('end', () => response.end(body)),
  'answers slowly': async ({ response, body }) => {
    response.setHeader('content-length', body.length);
    for (let at = 0; at < 10 && !response.destroyed; at++) {
      response.write(body.subarray((body.length * at) / 10, (body.length * (at + 1)) / 10));
      await wait(20);
    }
    response.end();
  },
  // Not with response.writeEarlyHints: where the response before is not finished yet, Node.js sends the hints last.
  'sends hints first': ({ socket, body }) =>
    socket.end(`HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n${head(body.length, 'close')}${body}`),
  'answers and closes': ({ response, body }) => response.setHeader('connection', 'close').end(body),
  'resets after the head': ({ socket }) => socket.resetAndDestroy(),
  'ends after the head': ({ socket }) => socket.destroy(),
  'resets in the middle of its head': ({ socket }) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Le', () => socket.resetAndDestroy()),
  'resets in the middle of its body': ({ socket, body }) =>
    socket.write(head(body.length + 1) + body.toString(), () => socket.resetAndDestroy()),
  'ends in the middle of its body': ({ socket, body }) => socket.end(head(body.length + 1) + body.toString()),
  'resets after its response': ({ socket, body }) =>
    socket.write(head(body.length) + body.toString(), () => socket.resetAndDestroy()),
  'sends more than its response': ({ socket, body }) => socket.write(`${head(body.length)}${body}and more`),
  'says something on an idle connection': async ({ response, socket, body, isLatest }) => {
    response.end(body);
    await wait(50);
    if (isLatest() && socket.writable) socket.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
  },
  'says nothing': () => undefined,
  'reads nothing': ({ socket }) => socket.pause(),
  'sends what is not HTTP': ({ socket }) => socket.write('220 mail.example.com ESMTP\r\n'),
} as const satisfies Readonly<Record<string, Behaviour>>;

// Most of the time it does what it should: what is wrong must not be all that is ever exercised.
const weights: Readonly<Record<keyof typeof behaviours, number>> = {
  'answers at once': 60,
  'answers in chunks': 20,
  'answers after the whole request': 20,
  'answers slowly': 5,
  'sends hints first': 5,
  'answers and closes': 5,
  'resets after the head': 3,
  'ends after the head': 3,
  'resets in the middle of its head': 3,
  'resets in the middle of its body': 3,
  'ends in the middle of its body': 3,
  'resets after its response': 3,
  'sends more than its response': 3,
  'says something on an idle connection': 3,
  'says nothing': 1,
  'reads nothing': 1,
  'sends what is not HTTP': 2,
};

const accepting = { takes: 60, resets: 1, ends: 1 };

/** The body of a response, from which can be seen whose it is. */
export const bodyOf = (name: string, size: number): Buffer => Buffer.alloc(size, `${name};`);

export class FlappingApplication implements AsyncDisposable {
  /** What it did, and how often. */
  readonly done = new Map<string, number>();
  readonly #random: Random;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #latest = new WeakMap<Socket, IncomingMessage>();
  #port = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#server = createServer((request, response) => this.#serve(request, response))
      .on('connection', (socket: Socket) => this.#accept(socket))
      .on('upgrade', (_, socket) => this.#tunnel(socket))
      .on('clientError', (_, socket) => socket.destroy());
    // It says nothing of how long it keeps an idle connection.
    this.#server.keepAliveTimeout = 0;
  }

  /** All that it can do. */
  get kinds(): readonly string[] {
    return ['dies', 'opens a tunnel', 'resets what it accepted', 'ends what it accepted', ...Object.keys(behaviours)];
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As when its process is killed. */
  async die(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#count('dies');
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  #count(what: string): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    const how = choose(this.#random, accepting);
    if (how === 'takes') return;
    this.#count(`${how} what it accepted`);
    if (how === 'resets') socket.resetAndDestroy();
    else socket.end();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const [, size, name = ''] = request.url!.split('/');
    const behaviour = choose(this.#random, weights);
    this.#count(behaviour);
    const body = bodyOf(name, Number(size));
    const { socket } = request;
    this.#latest.set(socket, request);
    behaviours[behaviour]({ request, response, socket, body, isLatest: () => this.#latest.get(socket) === request });
  }

  #tunnel(socket: Duplex): void {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('error', () => socket.destroy()).pipe(socket);
    const ending = below(this.#random, 4);
    this.#count('opens a tunnel');
    if (ending === 0) setTimeout(() => (socket as Socket).resetAndDestroy(), 100);
    if (ending === 1) setTimeout(() => socket.end(), 100);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.die();
  }
}
