// The application behind every proxy: nginx with small and large answers, which also counts what reached it.

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { userInfo } from 'node:os';
import { freePort, type Scratch } from '@outrigger/core/testing';
import { type Server, serve } from './machine.ts';

export const bodies = {
  '/small': Buffer.from('hello from the application\n'),
  '/64k': randomBytes(64 << 10),
  '/1m': randomBytes(1 << 20),
} as const;

export type Path = keyof typeof bodies;

/** Answers how many octets of request there were, once it has read all of them. */
export const uploadPath = '/upload';
/** Answers `X-Forwarded-For X-Forwarded-Proto`. */
export const forwardedPath = '/forwarded';

export type Counts = { readonly requests: number; readonly connections: number };
export type Origin = Server & { counts(): Promise<Counts> };

export async function startOrigin(directory: Scratch): Promise<Origin> {
  await mkdir(directory.join('files'));
  for (const [path, body] of Object.entries(bodies)) await writeFile(directory.join('files', path), body);
  const port = await freePort();
  const site = `
    sendfile on; tcp_nopush on; open_file_cache max=16 inactive=1h; default_type application/octet-stream;
    server {
      listen 127.0.0.1:${port} backlog=4096; root ${directory.join('files')};
      location = /small { return 200 "${bodies['/small'].toString().trimEnd()}\\n"; }
      location = ${forwardedPath} { return 200 "$http_x_forwarded_for $http_x_forwarded_proto"; }
      location = ${uploadPath} {
        client_max_body_size 2m; client_body_buffer_size 2m; echo_read_request_body; echo $request_length;
      }
      location = /status { stub_status; }
    }`;
  const server = await serve('load', await nginx('origin', directory, site), port);
  return { ...server, counts: () => readCounts(port) };
}

/** An nginx with one worker, which reads what is given in its http block. */
export async function nginx(name: string, directory: Scratch, http: string): Promise<['nginx', ...string[]]> {
  const config = directory.join(`${name}.conf`);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => `${kind}_temp_path ${directory.join(`${name}-${kind}`)};`).join(' ');
  // Debian's place of the modules. Workers of root would be nobody, whom the directory is closed to.
  await writeFile(
    config,
    `load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
    daemon off; worker_processes 1; user ${userInfo().username}; pid ${directory.join(`${name}.pid`)}; error_log stderr crit;
    events { worker_connections 8192; }
    http { access_log off; keepalive_timeout 600s; keepalive_requests 1000000000; ${temporary} ${http} }\n`,
  );
  return ['nginx', '-p', directory.path, '-c', config];
}

/** What reached it so far, without those that ask for it. */
async function readCounts(port: number): Promise<Counts> {
  const [, accepted, requests] = /^ (\d+) \d+ (\d+) $/m.exec(await ask(port)) ?? [];
  asked++;
  return { requests: Number(requests) - asked, connections: Number(accepted) - asked };
}

let asked = 0;

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/status', agent: false }, (response) => {
      response.toArray().then((chunks: Buffer[]) => resolve(Buffer.concat(chunks).toString()), reject);
    }).on('error', reject);
  });
}
