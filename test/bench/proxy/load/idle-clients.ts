// A process that opens TLS connections, asks once over each, and holds them until it is ended. Takes an Idle as JSON, prints
// `ready` once all of them are there, and fails when one is closed.

import { once } from 'node:events';
import { connect } from 'node:tls';
import { ready } from './load.ts';

export type Idle = { readonly port: number; readonly connections: number };

/** No more than this many handshakes at once. */
const together = 20;
const { port, connections } = JSON.parse(process.argv[2]!) as Idle;
const end = 'hello from the application\n';
let opened = 0;

await Promise.all(Array.from({ length: together }, openOthers));
process.stdout.write(ready);

async function openOthers(): Promise<void> {
  while (opened < connections) {
    opened++;
    await open();
  }
}

async function open(): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.on('close', () => {
    throw new Error('A connection was closed that should have been kept');
  });
  socket.write(`GET /small HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  for (let answer = ''; !answer.endsWith(end); )
    answer += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1');
}
