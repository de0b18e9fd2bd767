// Receivers that cost as little as they can, in a process of their own: what a shipper is measured against must not be
// the limit. `node receiver.ts forward|tcp|bulk` prints `port <n> <m>`: the first takes records, the second answers over
// HTTP with what came.

import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

export type Came = { readonly lines: number; readonly bytes: number; readonly p50: number; readonly p99: number };

let lines = 0;
let bytes = 0;
let delays: number[] = [];

/** A line that says when it was written, `t=<microseconds since the epoch>`, as the load with a rate does. */
const stamp = /t=(\d{16})/g;

function look(content: Buffer): void {
  const now = (performance.timeOrigin + performance.now()) * 1000;
  for (const [, written] of content.toString('latin1').matchAll(stamp)) delays.push((now - Number(written)) / 1000);
}

function countLines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count++;
  return count;
}

/** Bytes behind the head of a msgpack string, binary or map, or undefined while it is not whole. */
function serveForward(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (let message = readForward(held); message; message = readForward(held)) {
      if (message.size < 1000) look(held.subarray(0, message.end));
      lines += message.size;
      bytes += message.end;
      held = held.subarray(message.end);
      // {"ack": chunk}
      socket.write(Buffer.concat([Buffer.of(0x81, 0xa3), Buffer.from('ack'), message.chunk]));
    }
  });
}

/** [tag, entries, {size, chunk}] as PackedForward and Forward's clients write it; undefined while it is not whole. */
function readForward(held: Buffer): { end: number; size: number; chunk: Buffer } | undefined {
  if (held.length < 16) return undefined;
  let at = 1 + skip(held, 1);
  const length = lengthOf(held, at);
  at += length;
  if (held.length < at + 1) return undefined;
  let size = 0;
  let chunk: Buffer = Buffer.alloc(0);
  const pairs = held[at++]! & 0x0f;
  for (let pair = 0; pair < pairs; pair++) {
    const keyLength = skip(held, at);
    const key = held.toString('latin1', at + 1, at + keyLength);
    at += keyLength;
    const valueLength = skip(held, at);
    if (held.length < at + valueLength) return undefined;
    if (key === 'size') size = numberAt(held, at);
    if (key === 'chunk') chunk = held.subarray(at, at + valueLength);
    at += valueLength;
  }
  return { end: at, size, chunk: Buffer.from(chunk) };
}

/** Of a string or a binary, head included. */
function lengthOf(held: Buffer, at: number): number {
  const kind = held[at]!;
  if (kind === 0xc4 || kind === 0xd9) return 2 + held[at + 1]!;
  if (kind === 0xc5 || kind === 0xda) return 3 + held.readUInt16BE(at + 1);
  if (kind === 0xc6 || kind === 0xdb) return 5 + held.readUInt32BE(at + 1);
  if (kind >> 5 === 5) return 1 + (kind & 0x1f);
  throw new Error(`Not what is expected in a packet: 0x${kind.toString(16)}`);
}

const numbers: Readonly<Record<number, number>> = { 204: 2, 205: 3, 206: 5, 207: 9, 208: 2, 209: 3, 210: 5, 211: 9 };

function skip(held: Buffer, at: number): number {
  const kind = held[at];
  if (kind === undefined) return 1;
  if (kind < 0x80) return 1;
  return numbers[kind] ?? lengthOf(held, at);
}

const numberAt = (held: Buffer, at: number): number =>
  held[at]! < 0x80 ? held[at]! : held.readUIntBE(at + 1, Math.min(6, numbers[held[at]!]! - 1));

function serveLines(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => {
    lines += countLines(chunk);
    bytes += chunk.length;
    if (chunk.length < 0x4000) look(chunk);
  });
}

const decoders: Readonly<Record<string, (body: Buffer) => Buffer>> = { gzip: gunzipSync, zstd: zstdDecompressSync };

/** Elasticsearch's _bulk: two lines for each document, and all of them are taken. */
function serveBulk(): Server {
  return createHttpServer(async (request: IncomingMessage, response) => {
    const body = Buffer.concat(await request.toArray());
    const decode = decoders[request.headers['content-encoding'] ?? ''];
    const content = decode ? decode(body) : body;
    lines += Math.floor(countLines(content) / 2);
    bytes += body.length;
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-elastic-product', 'Elasticsearch');
    response.end('{"took":1,"errors":false,"items":[]}');
  });
}

const kinds: Readonly<Record<string, () => Server>> = {
  forward: () => createServer(serveForward),
  tcp: () => createServer(serveLines),
  bulk: serveBulk,
};

const quantile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;

if (import.meta.main) {
  const kind = kinds[process.argv[2] ?? ''];
  if (!kind) throw new Error(`One of ${Object.keys(kinds).join(', ')} is expected`);
  const control = createHttpServer((_, response) => {
    const sorted = delays.toSorted((a, b) => a - b);
    response.end(JSON.stringify({ lines, bytes, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }));
    if (sorted.length > 100_000) delays = [];
  });
  const ports: number[] = [];
  for (const server of [kind(), control]) {
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  process.stdout.write(`port ${ports.join(' ')}\n`);
}
