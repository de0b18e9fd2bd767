// CPU per request of a small GET over TLS and keep-alive, beside nginx in the same run: a sidecar is paid by CPU.

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { freePort, scratch, startPeer, startSidecar, writeCertificate } from '@outrigger/core/testing';

const run = promisify(execFile);
const seconds = Number(process.env.BENCH_SECONDS ?? 3);
const connections = Number(process.env.BENCH_CONNECTIONS ?? 64);

for (const [program, argument] of [
  ['nginx', '-v'],
  ['wrk', '-v'],
] as const) {
  // wrk -v exits 1 after printing its version.
  const missing = await run(program, [argument]).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
  if (!missing) continue;
  console.error(`${program} is missing: on Debian, apt-get install nginx-light wrk`);
  process.exit(1);
}

type Server = AsyncDisposable & { readonly pid: number };
type Measured = {
  readonly name: string;
  readonly microseconds: number;
  readonly rate: number;
  readonly memory: number;
};

await using directory = await scratch();
const files = await writeCertificate(directory.path);
const [originPort, nginxPort] = [await freePort(), await freePort()];

await using _origin = await startNginx('origin', originPort, [
  `server { listen 127.0.0.1:${originPort}; default_type text/plain; location / { return 200 "hello from the application\\n"; } }`,
]);
await using nginx = await startNginx('proxy', nginxPort, [
  `upstream application { server 127.0.0.1:${originPort}; keepalive 128; keepalive_requests 100000000; }`,
  `server { listen 127.0.0.1:${nginxPort} ssl; ssl_certificate ${files.certificateFile}; ssl_certificate_key ${files.keyFile};`,
  'ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:1m;',
  'location / { proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection "";',
  'proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;',
  'proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; } }',
]);
await using proxy = await startSidecar(import.meta.resolve('../src/main.ts'), [
  ...['--listen-address', '127.0.0.1:0', '--upstream', `http://127.0.0.1:${originPort}`],
  ...['--tls-certificate-file', files.certificateFile, '--tls-key-file', files.keyFile],
]);
const { listenAddress } = (await (await proxy.get('/v1/status')).json()) as { listenAddress: string };

const rounds: [Measured, Measured][] = [];
for (let round = 0; round < 5; round++)
  rounds.push([
    await measure('outrigger proxy', proxy.pid, listenAddress),
    await measure('nginx', nginx.pid, `127.0.0.1:${nginxPort}`),
  ]);
report(rounds);

async function startNginx(name: string, port: number, servers: readonly string[]): Promise<Server> {
  const config = directory.join(`${name}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory.join(`${name}-${kind}`)};`,
  );
  await writeFile(
    config,
    [
      `daemon off; master_process off; worker_processes 1; pid ${directory.join(`${name}.pid`)};`,
      'error_log stderr crit; events { worker_connections 1024; }',
      `http { access_log off; keepalive_requests 100000000; ${temporary.join(' ')} ${servers.join('\n')} }`,
    ].join('\n'),
  );
  return startPeer('nginx', ['-p', directory.path, '-c', config], { ready: port });
}

async function measure(name: string, pid: number, address: string): Promise<Measured> {
  await load(address, 1);
  const before = await cpu(pid);
  const { requests, elapsed } = await load(address, seconds);
  const spent = (await cpu(pid)) - before;
  return { name, microseconds: (spent / requests) * 1e6, rate: requests / elapsed, memory: await privateMemory(pid) };
}

async function load(address: string, duration: number) {
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${duration}s`, `https://${address}/`]);
  const [, requests, elapsed] = /(\d+) requests in ([\d.]+)s/.exec(stdout)!;
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`The load was not answered cleanly:\n${stdout}`);
  return { requests: Number(requests), elapsed: Number(elapsed) };
}

/** User and system time of all threads, in seconds. */
async function cpu(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function privateMemory(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+)/gm)].reduce(
    (sum, [, kb]) => sum + Number(kb),
    0,
  );
  return kilobytes / 1024;
}

function report(rounds: readonly [Measured, Measured][]): void {
  const sorted = (pick: (round: [Measured, Measured]) => number) => rounds.map(pick).sort((a, b) => a - b);
  const median = (pick: (round: [Measured, Measured]) => number) => sorted(pick)[rounds.length >> 1]!;
  console.log(
    `Small GET over TLS, keep-alive, ${connections} connections, ${rounds.length} rounds of ${seconds} s by turns\n`,
  );
  console.log('| | CPU per request, median | best | requests/s | private memory |\n| --- | --- | --- | --- | --- |');
  const best = [0, 1].map((side) => sorted((round) => round[side]!.microseconds)[0]!);
  for (const side of [0, 1] as const)
    console.log(
      `| ${rounds[0]![side].name} | ${median((round) => round[side].microseconds).toFixed(1)} us ` +
        `| ${best[side]!.toFixed(1)} us | ${median((round) => round[side].rate).toFixed(0)} ` +
        `| ${median((round) => round[side].memory).toFixed(1)} MB |`,
    );
  const ratio = median(([own, peer]) => own.microseconds / peer.microseconds);
  console.log(`| ratio | ${ratio.toFixed(2)} | ${(best[0]! / best[1]!).toFixed(2)} | | |`);
}
