// A process of its own, so that what an attack costs is not taken from the clients that are to be served meanwhile:
//   node attack.ts <kind> <port> <tls|plain> <connections at a time> [<connections in all>]
// It says `begun` when so many are there, and goes on until it is killed, or until it has made all and says `done`.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

const [kind = '', port, security, atATime, inAll = 'Infinity'] = process.argv.slice(2);
const isTls = security === 'tls';
const host = 'Host: localhost\r\n';

/** What the attacker does with a connection: it returns what is done every so many milliseconds. */
type Attack = (socket: Socket) => Drip | undefined;
type Drip = { readonly every: number; readonly act: () => void };

const attacks: Readonly<Record<string, Attack>> = {
  'heads that drip': (socket) => {
    socket.write(`GET / HTTP/1.1\r\n${host}X-Slow: `);
    return { every: 1_000, act: () => socket.write('a') };
  },
  'bodies that drip': (socket) => {
    socket.write(`POST /count/drip HTTP/1.1\r\n${host}Content-Length: 1000000\r\n\r\n`);
    return { every: 1_000, act: () => socket.write('a') };
  },
  'responses that are read drop by drop': (socket) => {
    socket.write(`GET /fill/4194304/1 HTTP/1.1\r\n${host}\r\n`);
    socket.pause();
    return { every: 1_000, act: () => void socket.read(512) };
  },
  'handshakes that never begin': () => undefined,
  'handshakes that are left half done': (socket) => {
    socket.write(hello);
    return undefined;
  },
  'handshakes of garbage': (socket) => {
    socket.write(randomBytes(200));
    return undefined;
  },
  garbage: (socket) => {
    const what = garbage[Math.floor(Math.random() * garbage.length)]!;
    what(socket);
    return undefined;
  },
};

const garbage: readonly ((socket: Socket) => unknown)[] = [
  (socket) => socket.end(randomBytes(1 + Math.floor(Math.random() * 2_000))),
  (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  (socket) => socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  (socket) => socket.end(hello),
  (socket) => socket.end(hello.subarray(0, 40)),
  (socket) => socket.end(`GET / HTTP/1.1\r\n${host}`),
  (socket) => socket.end(`GET / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`),
  (socket) => socket.end(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n-1\r\n`),
  (socket) => socket.write('\0'.repeat(100), () => socket.resetAndDestroy()),
  (socket) => socket.resetAndDestroy(),
];

// Slow attackers come a few at a time: they mean to be there for long, and a rush is another attack.
const rush = 20;

const hello = await clientHello();
const most = Number(inAll);
const isSlow = /drip|drop/.test(kind);
let made = 0;
let arriving = 0;
let there = 0;
let gone = 0;
come();

function come(): void {
  while (there + arriving < Number(atATime) && made < most && (!isSlow || arriving < rush)) attack();
}

function attack(): void {
  made++;
  arriving++;
  let arrived = false;
  // Each address has its own ports, and closed ones are not free for a minute.
  const localAddress = `127.0.${1 + (made % 50)}.1`;
  const raw = connect({ port: Number(port), host: '127.0.0.1', localAddress, noDelay: true });
  const wrapped = isTls && isSlow;
  const socket = wrapped ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
  let timer: NodeJS.Timeout | undefined;
  socket.once(wrapped ? 'secureConnect' : 'connect', () => {
    arrived = true;
    arriving--;
    if (++there === Number(atATime)) process.stdout.write('begun\n');
    const drip = attacks[kind]!(socket);
    if (drip) timer = setInterval(drip.act, drip.every);
    else socket.resume();
    come();
  });
  // A reset is an answer too.
  socket.on('error', () => socket.destroy());
  raw.on('close', () => {
    clearInterval(timer);
    socket.destroy();
    if (arrived) there--;
    else arriving--;
    if (++gone === most) process.stdout.write('done\n');
    else setImmediate(come);
  });
}

// Whoever started it may be gone without a word.
const starter = process.ppid;
setInterval(() => process.ppid === starter || process.exit(), 1_000).unref();

/** The first octets of a client that means it. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read: () => undefined,
      write: (octets: Buffer, _, done) => {
        resolve(octets);
        done();
      },
    });
    connectTls({ socket, servername: 'localhost' }).on('error', () => socket.destroy());
  });
}
