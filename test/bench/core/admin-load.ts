// A process that probes: many probers at once, over sockets alone, so that little of what is measured is its own. Takes a
// Load as JSON and prints Figures as JSON. Started by admin.ts.

import { connect } from 'node:net';

/** Milliseconds are those from the wish to probe to the last byte of the answer. */
export type Figures = {
  readonly answers: number;
  /** With those of the warming up, which have no times. */
  readonly allAnswers: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

export type Load = {
  readonly port: number;
  readonly path: string;
  readonly probers: number;
  /**
   * `kept`: each prober has one connection and asks again at once. `new`: the same with a connection for each probe, as
   * the kubelet has. `paced`: like `new`, but each prober asks once a second, however long the answers take.
   */
  readonly mode: 'kept' | 'new' | 'paced';
  readonly seconds: number;
};

const { port, path, probers, mode, seconds } = JSON.parse(process.argv[2]!) as Load;
const connection = mode === 'kept' ? 'keep-alive' : 'close';
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: kube-probe/1.34\r\nAccept: */*\r\nConnection: ${connection}\r\n\r\n`;
const times: number[] = [];
let failures = 0;
let allAnswers = 0;
let counting = false;
const newline = 10;

await beginLoad();
setTimeout(() => {
  counting = true;
  setTimeout(end, seconds * 1000);
}, 2_000);

async function beginLoad(): Promise<void> {
  const every = Array.from({ length: probers }, (_, prober) => prober);
  if (mode === 'paced') for (const prober of every) setTimeout(keepPace, (prober * 1000) / probers);
  else if (mode === 'new') for (const _ of every) askAgain();
  else for (const begin of await Promise.all(every.map(openKept))) begin();
}

function keepPace(): void {
  setInterval(ask, 1000);
}

function askAgain(): void {
  ask(askAgain);
}

function ask(then?: () => void): void {
  const begun = performance.now();
  const socket = connect(port, '127.0.0.1');
  let status = 0;
  socket.on('data', (chunk: Buffer) => {
    status ||= statusOf(chunk);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    count(begun, status === 200);
    then?.();
  });
  socket.write(request);
}

/**
 * A connection that has been answered once: a server of Node.js accepts one connection each time it has looked after all
 * others, so that under full load the last of many would get in after seconds. Returns what begins the load.
 */
function openKept(): Promise<() => void> {
  const socket = connect(port, '127.0.0.1');
  let begun = Number.NaN;
  const again = () => {
    begun = performance.now();
    socket.write(request);
  };
  const first = Promise.withResolvers<() => void>();
  socket.on('data', (chunk: Buffer) => {
    // The end of "ok" and of "check passed".
    if (chunk.at(-1) !== newline) return;
    if (Number.isNaN(begun)) return first.resolve(again);
    count(begun, statusOf(chunk) === 200);
    again();
  });
  socket.on('close', () => {
    throw new Error('A connection was closed that should have been kept');
  });
  socket.write(request);
  return first.promise;
}

const statusOf = (chunk: Buffer) => Number(chunk.toString('latin1', 'HTTP/1.1 '.length, 'HTTP/1.1 200'.length));

function count(begun: number, ok: boolean): void {
  if (ok) allAnswers++;
  if (!counting) return;
  if (ok) times.push(performance.now() - begun);
  else failures++;
}

function end(): void {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  const spread = { p50: at(0.5), p99: at(0.99), max: at(1) };
  const figures: Figures = { answers: times.length, allAnswers, failures, seconds, ...spread };
  process.stdout.write(JSON.stringify(figures), () => process.exit());
}
