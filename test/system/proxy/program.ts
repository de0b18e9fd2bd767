// The proxy as its image runs it: bundled from the sources as they are now, started with the image's own flags.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type Made,
  makeCertificate,
  makeVolume,
  metricOf,
  type RunningSidecar,
  scratch,
  startSidecar,
  until,
  type Volume,
} from '@outrigger/core/testing';
import { memoryOf } from '../processes.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export type ProxyProcess = AsyncDisposable & {
  readonly sidecar: RunningSidecar;
  readonly port: number;
  /** What clients trust; undefined where the proxy speaks plain HTTP. */
  readonly ca: string | undefined;
  /** Its certificate, laid out as the kubelet lays out a Secret. */
  readonly volume: Volume;
  /** Value of a series of the proxy's own, 0 when there is none. */
  metric(series: string): Promise<number>;
  /** States of the clients' connections. */
  connections(): Promise<readonly string[]>;
  /** Bytes of memory that nobody else has. */
  memory(): number;
  /** All open descriptors that are not sockets. */
  files(): number;
  /** Its sockets as `local remote state` in the kernel's words, without those of the admin listener. */
  sockets(): readonly string[];
  /** Resolves when only what listens is left of clients and application, as the proxy sees it and as the kernel does. */
  idle(deadline?: number): Promise<void>;
};

export type ProxyOptions = {
  readonly upstream: string;
  readonly tls?: boolean;
  readonly host?: string;
  readonly flags?: readonly string[];
};

export const secretOf = ({ cert, key }: Made): Readonly<Record<string, string>> => ({
  'tls.crt': cert,
  'tls.key': key,
});

export async function startProxyProcess({
  upstream,
  tls = true,
  host = '127.0.0.1',
  flags = [],
}: ProxyOptions): Promise<ProxyProcess> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  const { main, env } = bundle(directory.path);
  const made = makeCertificate();
  const volume = await makeVolume(directory.join('tls'), secretOf(made));
  const certificate = ['--tls-certificate-file', join(volume.path, 'tls.crt'), '--tls-key-file'];
  const args = ['--listen-address', `${host}:0`, '--upstream', upstream];
  if (tls) args.push(...certificate, join(volume.path, 'tls.key'));
  const sidecar = stack.use(await startSidecar(main, [...args, ...flags], { env }));
  const json = async (path: string): Promise<unknown> => (await sidecar.get(path)).json();
  const { listenAddress } = (await json('/v1/status')) as { listenAddress: string };
  const admin = portOf(new URL(sidecar.url).host);
  const proxy = {
    sidecar,
    port: portOf(listenAddress),
    ca: tls ? made.cert : undefined,
    volume,
    metric: (series: string) => metricOf(sidecar, `outrigger_proxy_${series}`),
    connections: async () => ((await json('/v1/connections')) as { state: string }[]).map(({ state }) => state),
    memory: () => memoryOf(sidecar.pid).private,
    files: () => descriptorsOf(sidecar.pid).filter((target) => !target.startsWith('socket:')).length,
    sockets: () => socketsOf(sidecar.pid).filter((socket) => !socket.startsWith(`${admin} `)),
  };
  const owned = stack.move();
  return {
    ...proxy,
    idle: (deadline = 10_000) => untilIdle(proxy, deadline),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const portOf = (address: string) => Number(address.split(':').at(-1));

/** Beside the sources, not in `packages/proxy/dist`, which others may be using. */
function bundle(directory: string): { readonly main: string; readonly env: Readonly<Record<string, string>> } {
  symlinkSync(join(root, 'packages/proxy/src'), join(directory, 'src'));
  execFileSync(process.execPath, [join(root, 'packages/core/scripts/bundle.ts')], { cwd: directory, timeout: 60_000 });
  const main = join(directory, 'dist/main.mjs');
  const [interpreter] = readFileSync(main, 'utf8').split('\n', 1);
  const [variables, flags] = interpreter!.replace(/^#!\S+ -S /, '').split(' node ');
  return {
    main: pathToFileURL(main).href,
    env: { ...Object.fromEntries(variables!.split(' ').map((each) => each.split('='))), NODE_OPTIONS: flags! },
  };
}

async function untilIdle(
  proxy: Pick<ProxyProcess, 'sidecar' | 'sockets' | 'connections'>,
  deadline: number,
): Promise<void> {
  let left: readonly string[] = [];
  await until(
    async () => {
      const { upstream } = (await (await proxy.sidecar.get('/v1/status')).json()) as Status;
      const { active, idle } = upstream.connections;
      left = [...(await proxy.connections()), ...proxy.sockets().filter((socket) => !socket.endsWith(' LISTEN'))];
      return active + idle + left.length === 0;
    },
    { deadline, what: () => `the end of the connections ${left.join(', ')}` },
  );
}

type Status = { readonly upstream: { readonly connections: { readonly active: number; readonly idle: number } } };

const tcpStates: Readonly<Record<string, string>> = { '01': 'ESTABLISHED', '08': 'CLOSE_WAIT', '0A': 'LISTEN' };

function socketsOf(pid: number): string[] {
  const tables = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'latin1').split('\n'));
  const byInode = new Map(
    tables.map((line) => {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      return [inode, `${portIn(local)} ${portIn(remote)} ${tcpStates[state ?? ''] ?? state}`];
    }),
  );
  return descriptorsOf(pid).flatMap((target) => {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    const socket = inode && byInode.get(inode);
    return socket ? [socket] : [];
  });
}

const portIn = (address = '') => Number.parseInt(address.split(':').at(-1) ?? '', 16);

function descriptorsOf(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(join(directory, name))];
    } catch (error) {
      // Closed since they were listed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return [];
    }
  });
}
