// The proxies that stand beside each other. Each terminates TLS 1.2 and 1.3 with the same certificate on one core, keeps its
// connections to the application, says who asked in X-Forwarded-For, writes no access log, and is otherwise as its own
// documentation advises for that. In mode tcp they terminate TLS only; stunnel knows nothing else and stands beside the
// others in their mode http too.

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { freePort, type Scratch } from '@outrigger/core/testing';
import { type Command, type Server, serve } from './machine.ts';
import { nginx } from './origin.ts';

/** http: it reads what it passes on; tcp: it terminates TLS and moves octets. */
export type Mode = 'http' | 'tcp';

export type Place = {
  readonly mode: Mode;
  readonly directory: Scratch;
  readonly origin: number;
  readonly port: number;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Both in one. */
  readonly pairFile: string;
};

export type Subject = {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Prints its version. */
  readonly version: Command;
  readonly configure: (place: Place) => Promise<{ command: Command; env?: Record<string, string> }>;
};

export const ownName = 'outrigger';

const bundle = resolve(import.meta.dirname, '../../../packages/proxy/dist/main.mjs');

// The first line of the bundle is what its image runs.
const own: Subject = {
  name: ownName,
  modes: ['http', 'tcp'],
  version: [bundle, '--version'],
  async configure({ mode, origin, port, certificateFile, keyFile }) {
    if (!existsSync(bundle)) throw new Error('The proxy is not built: npx pnpm@12 build');
    const command: Command = [
      ...([bundle, '--listen-address', `127.0.0.1:${port}`] as const),
      ...['--upstream', `${mode === 'tcp' ? 'tcp' : 'http'}://127.0.0.1:${origin}`, '--idle-timeout', '10m'],
      ...['--tls-certificate-file', certificateFile, '--tls-key-file', keyFile],
      ...['--admin-address', `127.0.0.1:${await freePort()}`],
      ...(mode === 'tcp' ? ['--mode', mode] : []),
    ];
    return { command, env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` } };
  },
};

// Without the last two lines bodies that are larger than its buffers make a detour over its disk.
const nginxProxy: Subject = {
  name: 'nginx',
  modes: ['http'],
  version: ['nginx', '-v'],
  async configure({ directory, origin, port, certificateFile, keyFile }) {
    const site = `
      upstream application { server 127.0.0.1:${origin}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 60s; }
      server {
        listen 127.0.0.1:${port} ssl http2 backlog=4096; client_max_body_size 2m; http2_max_concurrent_streams 128;
        ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile};
        ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m; ssl_session_timeout 10m;
        location / {
          proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
          proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
          proxy_request_buffering off;
          proxy_max_temp_file_size 0;
        }
      }`;
    return { command: await nginx('nginx', directory, site) };
  },
};

// Without `http-reuse always` the first request of each connection opens one to the application.
const haproxy: Subject = {
  name: 'HAProxy',
  modes: ['http', 'tcp'],
  version: ['haproxy', '-v'],
  async configure({ mode, directory, origin, port, pairFile }) {
    const alpn = mode === 'http' ? 'alpn h2,http/1.1' : '';
    const forHttp = `
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  http-reuse always`;
    const file = directory.join('haproxy.cfg');
    await writeFile(
      file,
      `global
  nbthread 1
  maxconn 4096
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  timeout http-keep-alive 10m
frontend clients
  bind 127.0.0.1:${port} ssl crt ${pairFile} ${alpn} backlog 4096
  default_backend application
backend application${mode === 'http' ? forHttp : ''}
  server application 127.0.0.1:${origin}
`,
    );
    return { command: ['haproxy', '-db', '-f', file] };
  },
};

// Its own answers are the origin's, so that it does not compress, as the others do not.
const caddy: Subject = {
  name: 'Caddy',
  modes: ['http'],
  version: ['caddy', 'version'],
  async configure({ directory, origin, port, certificateFile, keyFile }) {
    const file = directory.join('Caddyfile');
    await writeFile(
      file,
      `{
	admin off
	auto_https off
	log {
		level ERROR
	}
	servers {
		protocols h1 h2
		timeouts {
			idle 10m
		}
	}
}
https://:${port} {
	bind 127.0.0.1
	tls ${certificateFile} ${keyFile}
	reverse_proxy 127.0.0.1:${origin} {
		transport http {
			keepalive 60s
			keepalive_idle_conns_per_host 256
			compression off
		}
	}
}
`,
    );
    const home = directory.join('caddy');
    const env = { GOMAXPROCS: '1', XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
    return { command: ['caddy', 'run', '--adapter', 'caddyfile', '--config', file], env };
  },
};

const stunnel: Subject = {
  name: 'stunnel',
  modes: ['tcp'],
  version: ['stunnel', '-version'],
  async configure({ directory, origin, port, certificateFile, keyFile }) {
    const file = directory.join('stunnel.conf');
    await writeFile(
      file,
      `foreground = quiet
pid =
debug = err
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[https]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${origin}
cert = ${certificateFile}
key = ${keyFile}
sslVersionMin = TLSv1.2
TIMEOUTidle = 600
`,
    );
    return { command: ['stunnel', file] };
  },
};

export const subjects: readonly Subject[] = [own, nginxProxy, haproxy, caddy, stunnel];

export type Started = Server & { readonly name: string; readonly mode: Mode };

/** In the mode that is wanted where it has that, else in its own. */
export async function startSubject(
  subject: Subject,
  wanted: Mode,
  place: Omit<Place, 'port' | 'mode'>,
): Promise<Started> {
  const { name, modes } = subject;
  const mode = modes.find((each) => each === wanted) ?? modes[0] ?? wanted;
  const port = await freePort();
  const { command, env } = await subject.configure({ ...place, mode, port });
  const { tree, [Symbol.asyncDispose]: dispose } = await serve('proxy', command, port, env);
  return { name, mode, port, tree, [Symbol.asyncDispose]: dispose };
}
