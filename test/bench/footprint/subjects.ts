// What is measured: the six sidecars as their images, and programs that people run in their place, from Debian.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scratch } from '@outrigger/core/testing';
import type { Contained } from './engine.ts';

const user = 65532;
export const peersImage = 'outrigger-footprint/peers';

/** In the order of the demo: the last is what a sixth one adds. */
export function sidecars({ path, join: at }: Scratch): Contained[] {
  chmodSync(path, 0o755);
  for (const name of ['logs', 'state', 'root', 'watched']) {
    mkdirSync(at(name));
    chownSync(at(name), user, user);
  }
  writeFileSync(at('logs', 'app.log'), 'a line\n');
  writeFileSync(at('watched', 'a'), '1');
  writeFileSync(at('status.xml'), '<status uptime="3"/>');
  writeFileSync(
    at('rules.yaml'),
    'root: status\nrules:\n  - { metric: uptime, type: gauge, help: Uptime, path: /status/@uptime }\n',
  );
  makeRepository(at('repository.git'), at('checkout'));
  const flags = ['--user', `${user}:${user}`, '--volume', `${path}:/data`, '--stop-timeout', '1'];
  const sidecar = (name: string, port: number, args: readonly string[]): Contained => ({
    ...{ name, port, args, flags, image: `outrigger/${name}`, path: '/startupz' },
  });
  return [
    sidecar('monitor', 9400, []),
    sidecar('log-shipper', 9402, ['--source-file-paths=/data/logs/app.log', '--state-directory=/data/state']),
    sidecar('adapter', 9403, ['--target=file:///data/status.xml', '--rules-file=/data/rules.yaml']),
    sidecar('git-sync', 9404, [
      '--repo=file:///data/repository.git',
      '--ref=main',
      '--root=/data/root',
      '--period=10s',
    ]),
    sidecar('config-reloader', 9405, [
      '--watch=/data/watched',
      '--notify=http',
      '--notify-http-url=http://127.0.0.1:1/',
    ]),
    sidecar('proxy', 9401, ['--upstream=http://127.0.0.1:8080']),
  ];
}

function makeRepository(bare: string, checkout: string): void {
  const git = (...args: string[]) => execFileSync('git', args, { stdio: 'ignore', timeout: 30_000 });
  git('init', '-q', '-b', 'main', checkout);
  writeFileSync(join(checkout, 'a'), '1');
  git('-C', checkout, 'add', '.');
  git('-C', checkout, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', 'commit', '-qm', 'one');
  git('clone', '-q', '--bare', checkout, bare);
  execFileSync('chown', ['-R', `${user}:${user}`, bare]);
}

const packages = ['nginx-light', 'haproxy', 'rsyslog', 'prometheus-node-exporter'];

/** One image with all of them; the same base as ours is made from. */
export function buildPeers({ join: at }: Scratch): void {
  const tar = at('peers.tar');
  const options = ['--quiet', '--variant=extract', '--format=tar', `--include=base-files,netbase,${packages.join()}`];
  execFileSync('mmdebstrap', [...options, 'bookworm', tar], {
    timeout: 300_000,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  execFileSync('podman', ['import', '--quiet', tar, peersImage], { timeout: 120_000, stdio: 'ignore' });
}

/** As their manuals say for one small service, one worker where it can be said. */
export function peers({ join: at }: Scratch): Contained[] {
  writeFileSync(
    at('nginx.conf'),
    'daemon off; worker_processes 1; pid /tmp/nginx.pid; error_log stderr; events {} http { access_log off;\n' +
      ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path /tmp/${each};`).join(' ') +
      '\nserver { listen 8081; location / { proxy_pass http://127.0.0.1:8080; } location /ready { return 200; } } }\n',
  );
  writeFileSync(
    at('haproxy.cfg'),
    'global\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n' +
      'frontend in\n  bind :8082\n  monitor-uri /ready\n  default_backend app\nbackend app\n  server app 127.0.0.1:8080\n',
  );
  writeFileSync(
    at('rsyslog.conf'),
    'global(workDirectory="/tmp")\nmodule(load="imfile")\nmodule(load="imtcp")\ninput(type="imtcp" port="8083")\n' +
      'input(type="imfile" file="/data/logs/app.log" tag="app")\naction(type="omfile" file="/tmp/out")\n',
  );
  const flags = ['--user', `${user}:${user}`, '--tmpfs', '/tmp', '--volume', `${at()}:/data`];
  const peer = (name: string, port: number, args: readonly string[], path?: string): Contained => ({
    ...{ name, port, args, flags, image: peersImage, ...(path !== undefined && { path }) },
  });
  return [
    peer('nginx', 8081, ['/usr/sbin/nginx', '-c', '/data/nginx.conf'], '/ready'),
    peer('haproxy', 8082, ['/usr/sbin/haproxy', '-db', '-f', '/data/haproxy.cfg'], '/ready'),
    peer('rsyslog', 8083, ['/usr/sbin/rsyslogd', '-n', '-f', '/data/rsyslog.conf', '-i', '/tmp/rsyslog.pid']),
    peer('node_exporter', 9100, ['/usr/bin/prometheus-node-exporter'], '/metrics'),
  ];
}
