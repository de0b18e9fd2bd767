// A strict Forward receiver in a process of its own. What it acknowledges it has appended to its store before. It fails as it
// is told to, by messages from its parent.

import { openSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import {
  decodeClientStream,
  encodeMessage,
  generateAck,
  isClientTransportMessage,
  parseTransport,
} from '@fluent-org/logger/build/src/protocol.js';
import { arrivedOf, monotonic } from './sink.ts';

const [port, store] = process.argv.slice(2);
const fd = openSync(store!, 'a');
// An earlier one may have been killed in the middle of a line.
writeSync(fd, '\n');

let failing = 'not at all';
const sockets = new Set<Socket>();
process.on('message', (how: string) => {
  failing = how;
  // Those who are waited for in vain shall not be answered later by another rule.
  for (const socket of sockets)
    if (how === 'hang up before storing' || how === 'reset mid-frame') socket.resetAndDestroy();
  for (const socket of sockets) socket.resume();
  process.send!('done');
});

const server = createServer((socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  let octets = 0;
  socket.on('data', ({ length }) => {
    octets += length;
    if (failing === 'reset mid-frame' && octets > 700) socket.resetAndDestroy();
    if (failing === 'read slowly') {
      socket.pause();
      setTimeout(() => socket.resume(), 20);
    }
  });
  serve(socket).catch((error: Error) => {
    if (socket.destroyed) return;
    writeSync(fd, `${JSON.stringify({ wrong: error.message })}\n`);
    socket.destroy();
  });
});
server.listen(Number(port), '127.0.0.1', () => process.send!('listening'));

async function serve(socket: Socket): Promise<void> {
  for await (const message of decodeClientStream(socket)) {
    if (socket.destroyed) return;
    if (!isClientTransportMessage(message)) throw new Error('no message of the Forward protocol');
    take(socket, message);
  }
}

function take(socket: Socket, message: Parameters<typeof parseTransport>[0]): void {
  if (failing === 'hang up before storing') return void socket.destroy();
  const { tag, entries, chunk } = parseTransport(message);
  const { size } = (message[2] as { size?: number } | undefined) ?? {};
  if (tag !== 'oracle') throw new Error(`the tag ${tag}`);
  if (chunk === undefined) throw new Error('a batch without an id');
  if (size !== entries.length) throw new Error(`${entries.length} entries where ${size} are announced`);
  const arrived = entries.map(([, record]) => arrivedOf(record));
  const runs = new Set(arrived.map(({ run }) => run));
  if (runs.size !== 1) throw new Error(`records of ${runs.size} runs in a batch`);
  const records = arrived.map(({ line, path }) => [line, path]);
  writeSync(fd, `${JSON.stringify({ run: arrived[0]!.run, at: monotonic(), chunk, records })}\n`);
  answer(socket, chunk);
}

function answer(socket: Socket, chunk: string): void {
  switch (failing) {
    case 'hang up after storing':
      return void socket.destroy();
    case 'never acknowledge':
      return;
    case 'acknowledge another':
      return void socket.write(encodeMessage(generateAck(`not-${chunk}`)));
    case 'talk nonsense':
      return void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    case 'acknowledge twice':
      socket.write(encodeMessage(generateAck(chunk)));
  }
  socket.write(encodeMessage(generateAck(chunk)));
}
