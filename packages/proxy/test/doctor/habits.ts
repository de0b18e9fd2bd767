// Applications on raw sockets, each with habits of its own.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export type Habits = {
  /** Of its responses. */
  readonly version?: '1.0' | '1.1';
  /** Knows HTTP/1.0 alone: 505 to all else. */
  readonly onlyOld?: boolean;
  /** Milliseconds an idle connection is kept; for ever when not given. */
  readonly keeps?: number;
  /** After each response, saying so or not. */
  readonly closes?: 'said' | 'unsaid';
  /** Fields of its responses. */
  readonly fields?: string;
  /** Sent after each response. */
  readonly extra?: string;
  /** Sent before an idle connection is closed. */
  readonly farewell?: string;
  /** Without Content-Length: the end of the connection is the end of the body. */
  readonly untilClose?: boolean;
  /** What becomes of bodies with a length, and of chunked ones. */
  readonly bodies?: 'read' | 'unread' | 'dropped';
  readonly chunked?: 'read' | 'unread' | '411' | 'waited-for';
  readonly expect?: 'answered' | 'ignored' | 'refused';
  /** Thinks for a moment, and the end of the client's side ends the connection. */
  readonly dropsOnEnd?: boolean;
  /** Spelling of field names that it knows. */
  readonly spelling?: 'Title-Case' | 'lower-case';
  readonly headLimit?: number;
  /** A body in the response to HEAD. */
  readonly headBody?: boolean;
  /** Looks at one connection at a time. */
  readonly serial?: boolean;
  /** What came behind a request is thrown away. */
  readonly forgetful?: boolean;
  readonly ignoresClose?: boolean;
  readonly refusesAbsolute?: boolean;
  /** Speaks first. */
  readonly banner?: string;
  /** Answers everything with these octets. */
  readonly answers?: string;
  readonly silent?: boolean;
  /** Answers the preface of HTTP/2. */
  readonly h2c?: boolean;
};

export type Application = AsyncDisposable & {
  readonly url: string;
  readonly requests: readonly string[];
  /** How many there were. */
  readonly connections: number;
};

export async function application(habits: Habits, listen: { port: number } | { path: string } = { port: 0 }) {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let connections = 0;
  const queue: Socket[] = [];
  const serve = (socket: Socket) => new Conversation(socket, habits, requests);
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    // A probe may leave in the middle.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      if (!habits.serial || queue[0] !== socket) return;
      queue.shift();
      if (queue[0]) serve(queue[0]);
    });
    if (!habits.serial || queue.push(socket) === 1) serve(socket);
  });
  server.listen('port' in listen ? { ...listen, host: '127.0.0.1' } : listen);
  await once(server, 'listening');
  return {
    requests,
    get connections() {
      return connections;
    },
    url: 'path' in listen ? `unix:${listen.path}` : `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  } satisfies Application;
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

class Conversation {
  readonly #socket: Socket;
  readonly #habits: Habits;
  readonly #requests: string[];
  #arrived = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, habits: Habits, requests: string[]) {
    this.#socket = socket;
    this.#habits = habits;
    this.#requests = requests;
    if (habits.banner) socket.write(habits.banner);
    socket.on('data', (octets: Buffer) => {
      this.#arrived += octets.toString('latin1');
      clearTimeout(this.#timer);
      this.#read();
    });
    socket.on('end', () => (habits.dropsOnEnd ? socket.destroy() : socket.end()));
    socket.on('close', () => clearTimeout(this.#timer));
  }

  #read(): void {
    const { silent, answers, h2c, forgetful } = this.#habits;
    if (silent || this.#socket.destroyed) return;
    if (h2c && this.#arrived.startsWith(preface)) {
      this.#socket.write(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]));
      return;
    }
    if (answers !== undefined) {
      this.#socket.end(Buffer.from(answers, 'latin1'));
      return;
    }
    const end = this.#arrived.indexOf('\r\n\r\n');
    if (end < 0) {
      // A line that is no beginning of a request, such as the size of a chunk.
      if (/^(?![A-Z]{3,7} )[^\r]+\r\n/.test(this.#arrived)) this.#refuse(400);
      return;
    }
    const head = this.#arrived.slice(0, end + 2);
    const after = this.#bodyEnd(head, end + 4);
    if (after === undefined) return;
    this.#arrived = forgetful ? '' : this.#arrived.slice(after);
    if (this.#habits.dropsOnEnd) this.#timer = setTimeout(() => this.#goOn(head), 50);
    else this.#goOn(head);
  }

  #goOn(head: string): void {
    this.#answer(head);
    if (this.#arrived !== '') this.#read();
  }

  /** Where the next request begins; undefined while the body has not come whole, or once it is refused. */
  #bodyEnd(head: string, from: number): number | undefined {
    const { bodies = 'read', chunked = 'read', expect = 'answered' } = this.#habits;
    const length = Number(this.#field(head, 'Content-Length') ?? 0);
    const rest = this.#arrived.slice(from);
    if (this.#field(head, 'Expect') && rest === '') {
      if (expect === 'refused') return this.#refuse(417);
      if (expect === 'answered') this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    }
    if (this.#field(head, 'Transfer-Encoding')) {
      if (chunked === '411') return this.#refuse(411);
      if (chunked === 'waited-for') return undefined;
      if (chunked === 'unread') return from;
      const last = rest.indexOf('0\r\n\r\n');
      return last < 0 ? undefined : from + last + 5;
    }
    if (length > 0 && bodies === 'dropped') {
      this.#socket.destroy();
      return undefined;
    }
    if (bodies === 'unread') return from;
    return rest.length < length ? undefined : from + length;
  }

  #refuse(status: number): undefined {
    this.#socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    this.#arrived = '';
  }

  #field(head: string, name: string): string | undefined {
    const { spelling } = this.#habits;
    const known = spelling === 'lower-case' ? name.toLowerCase() : name;
    return new RegExp(`^${known}: *(.*)\r$`, spelling ? 'm' : 'im').exec(head)?.[1];
  }

  #answer(head: string): void {
    const [method = '', target = '', version = ''] = head.split('\r\n', 1)[0]!.split(' ');
    this.#requests.push(`${method} ${target} ${version}`);
    const { onlyOld, headLimit = 65_536, refusesAbsolute } = this.#habits;
    if (!/^[A-Z]{3,7}$/.test(method)) this.#refuse(400);
    else if (onlyOld && version !== 'HTTP/1.0') this.#refuse(505);
    else if (this.#field(head, 'Host') === undefined && version !== 'HTTP/1.0') this.#refuse(400);
    else if (head.length + 2 > headLimit) this.#refuse(431);
    else if (refusesAbsolute && !target.startsWith('/')) this.#refuse(400);
    else this.#fine(head, method, version);
  }

  #fine(head: string, method: string, asked: string): void {
    const { version = '1.1', closes, fields = '', untilClose, headBody, extra = '' } = this.#habits;
    const wanted = this.#field(head, 'Connection') === 'close' && !this.#habits.ignoresClose;
    const last = wanted || asked === 'HTTP/1.0' || version === '1.0' || closes !== undefined || untilClose;
    const own = [
      `HTTP/${version} 200 OK`,
      ...(untilClose ? [] : ['Content-Length: 2']),
      ...(closes === 'said' || wanted ? ['Connection: close'] : []),
    ];
    const body = method === 'HEAD' && !headBody ? '' : 'ok';
    this.#socket.write(`${own.join('\r\n')}\r\n${fields}\r\n${body}${extra}`);
    if (last) this.#socket.end();
    else if (this.#habits.keeps !== undefined) this.#timer = setTimeout(() => this.#leave(), this.#habits.keeps);
  }

  #leave(): void {
    this.#socket.end(this.#habits.farewell ?? '');
  }
}
