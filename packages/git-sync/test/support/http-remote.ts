// A real git server over HTTP: git's own http-backend behind node:http, with a password and faults on demand.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HttpRemote = AsyncDisposable & {
  readonly url: string;
  readonly origin: string;
  /** `user:password`; anybody may come while it is undefined. */
  credentials: string | undefined;
  /** Begins to answer when commits are asked for, and then sends nothing more. */
  stalling: boolean;
  /** Authorization headers of refused requests. */
  readonly refused: (string | undefined)[];
  /** Packs that were asked for while stalling. */
  stalled: number;
};

/** @param directory holds the bare repositories. */
export async function serveHttp(directory: string, name = 'site.git'): Promise<HttpRemote> {
  const server = createServer(async (request, response) => {
    const { authorization } = request.headers;
    if (remote.credentials && authorization !== `Basic ${btoa(remote.credentials)}`) {
      remote.refused.push(authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    const body = Buffer.concat(await request.toArray());
    if (remote.stalling && body.includes('command=fetch')) {
      remote.stalled++;
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' });
      // Half of a packet's length.
      response.write('00');
      return;
    }
    answer(directory, { request, body, response });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const remote: HttpRemote = {
    url: `${origin}/${name}`,
    origin,
    credentials: undefined,
    stalling: false,
    stalled: 0,
    refused: [],
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return remote;
}

type Exchange = { readonly request: IncomingMessage; readonly body: Buffer; readonly response: ServerResponse };

function answer(directory: string, { request, body, response }: Exchange): void {
  const url = new URL(request.url!, 'http://localhost');
  const backend = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: request.headers['git-protocol'] as string | undefined,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin
    // One that refuses the request ends without reading it: what it says of it is the answer.
    .on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') response.destroy(error);
    })
    .end(body);
  let head = '';
  backend.stdout.setEncoding('latin1').on('data', (text: string) => {
    if (response.headersSent) return void response.write(text, 'latin1');
    head += text;
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = head
      .slice(0, end)
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = headers.find(([key]) => key === 'Status')?.[1].split(' ')[0] ?? '200';
    response.writeHead(Number(status), headers.filter(([key]) => key !== 'Status').flat());
    response.write(head.slice(end + 4), 'latin1');
  });
  backend.stdout.on('end', () => response.end());
}
