// What runs elsewhere until it vanishes:
//   node vanishing.ts application <host>         serves, and prints its URL
//   node vanishing.ts clients <host> <port>      prints `ready` when each of its clients is in the middle of something

import { once } from 'node:events';
import { connect } from 'node:net';
import { startApplication } from './application.ts';
import { HttpClient, requestOf } from './client.ts';

const [what, host = '', port] = process.argv.slice(2);
if (what === 'application') {
  const { url } = await startApplication(undefined, host);
  process.stdout.write(`${url}\n`);
} else await openClients({ host, port: Number(port) });

async function openClients(to: { readonly host: string; readonly port: number }): Promise<void> {
  const silent = connect(to);
  await once(silent, 'connect');
  const idle = await HttpClient.open(to);
  await idle.get('/echo/idle');
  const reading = await HttpClient.open(to);
  reading.send('GET / HTTP/1.1\r\nHost: local');
  const uploading = await HttpClient.open(to);
  uploading.send('POST /count/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc');
  const downloading = await HttpClient.open(to);
  // More than the kernel takes on its way.
  downloading.send(requestOf(`/fill/${64 << 20}/download`));
  await once(downloading.socket, 'data');
  downloading.socket.pause();
  const tunnel = await HttpClient.open(to);
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  await tunnel.get('/tunnel', upgrade);
  process.stdout.write('ready\n');
}
