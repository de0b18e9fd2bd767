// A process that asks at a fixed pace over kept connections. Each millisecond has its share of the requests; one that finds
// every connection busy waits, and its time runs from the millisecond it was due in, so that a proxy that pauses does not
// pause what measures it. Takes a Pace as JSON, prints `ready` when all connections are there, and in the end Paced as JSON.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { wait } from '@outrigger/core';
import { percentile, ready } from './load.ts';

export type Pace = {
  readonly port: number;
  readonly secure: boolean;
  /** Requests per second. */
  readonly rate: number;
  /** Seconds. */
  readonly warmUp: number;
  readonly counted: number;
};

/** Milliseconds, of those that were due in the seconds that count. */
export type Paced = { readonly answers: number; readonly p50: number; readonly p99: number };

const connections = 64;
const { port, secure, rate, warmUp, counted } = JSON.parse(process.argv[2]!) as Pace;
const request = Buffer.from(`GET /small HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\n\r\n`);
const status = 'HTTP/1.1 200 ';
const end = 'hello from the application\n';

const free: Connection[] = [];
/** When requests that found no free connection were due. */
const late: number[] = [];
const times: number[] = [];

class Connection {
  private readonly socket: Socket;
  private due = 0;
  private answer = '';

  constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('close', () => {
      throw new Error('A connection was closed that should have been kept');
    });
  }

  ask(due: number): void {
    this.due = due;
    this.socket.write(request);
  }

  private read(chunk: Buffer): void {
    this.answer += chunk.toString('latin1');
    if (!this.answer.endsWith(end)) return;
    if (!this.answer.startsWith(status)) throw new Error(`A wrong answer: ${this.answer}`);
    this.answer = '';
    count(this.due);
    const next = late.shift();
    if (next === undefined) free.push(this);
    else this.ask(next);
  }
}

for (let count = 0; count < connections; count++) free.push(await open());
process.stdout.write(ready);
const begun = performance.now();
const from = begun + warmUp * 1000;
const to = from + counted * 1000;
let asked = 0;
// The load goes on while the last that count are answered.
while (performance.now() < to + 500) {
  askAll(performance.now());
  await wait(1);
}
await report();

async function open(): Promise<Connection> {
  const address = { port, host: '127.0.0.1' };
  const socket = secure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  await once(socket, secure ? 'secureConnect' : 'connect');
  return new Connection(socket);
}

/** What is due by now. */
function askAll(now: number): void {
  for (const wanted = Math.floor(((now - begun) * rate) / 1000); asked < wanted; asked++) {
    // The one that has been free for longest, so that all of them stay in use.
    const connection = free.shift();
    if (connection) connection.ask(now);
    else late.push(now);
  }
}

function count(due: number): void {
  if (due >= from && due < to) times.push(performance.now() - due);
}

async function report(): Promise<void> {
  // An answer that is still missing now is too late for any of the figures to be of use.
  const isMissing = () => free.length < connections || late.length > 0;
  for (let waited = 0; isMissing() && waited < 2000; waited += 5) await wait(5);
  if (isMissing()) throw new Error('Not everything was answered in time');
  const sorted = Float64Array.from(times).sort();
  const paced: Paced = { answers: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
  process.stdout.write(JSON.stringify(paced), () => process.exit());
}
