// A Forward receiver in a process of its own that keeps no line, for millions of them: lines are `name number ...`, and of each
// name it knows how far it has come without a gap. It may take its time with every batch.

import { createServer, type Socket } from 'node:net';
import {
  decodeClientStream,
  encodeMessage,
  generateAck,
  parseTransport,
} from '@fluent-org/logger/build/src/protocol.js';

export type Count = {
  /** The number of the next line. */
  next: number;
  /** Lines that came again. */
  again: number;
  /** Lines that came before others which should have been before them. */
  early: number;
};

export type CountingOptions = {
  readonly port: number /** Milliseconds before a batch is acknowledged. */;
  readonly delay: number;
};

const { port, delay } = JSON.parse(process.argv[2]!) as CountingOptions;
const counts: Record<string, Count> = {};

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  serve(socket).catch((error: Error) => {
    if (!socket.destroyed) throw error;
  });
});
server.listen(port, '127.0.0.1', () => process.send!('listening'));
process.on('message', () => process.send!(counts));

async function serve(socket: Socket): Promise<void> {
  for await (const message of decodeClientStream(socket)) {
    const { entries, chunk } = parseTransport(message as Parameters<typeof parseTransport>[0]);
    for (const [, { log }] of entries) take(String(log));
    const acknowledge = () => socket.write(encodeMessage(generateAck(chunk!)));
    if (delay > 0) setTimeout(acknowledge, delay);
    else acknowledge();
  }
}

function take(line: string): void {
  const end = line.indexOf(' ');
  const name = line.slice(0, end);
  const number = Number.parseInt(line.slice(end + 1, end + 12), 10);
  counts[name] ??= { next: 0, again: 0, early: 0 };
  const count = counts[name];
  if (number === count.next) count.next++;
  else if (number < count.next) count.again++;
  else count.early++;
}
