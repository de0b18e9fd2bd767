// An application that can be killed in the middle of a response: `node mortal.ts <port>`. It sends half of each response
// and keeps its client waiting for the other half; of `/whole` it sends all.

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/whole') return void response.end('whole');
  if (request.url === '/length') response.setHeader('content-length', 200_000);
  response.write(Buffer.alloc(100_000, 'a'));
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'));
