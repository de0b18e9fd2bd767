// A real sidecar process, as an image would start it.

import { fileURLToPath } from 'node:url';
import { cannotRun, type Peer, startPeer } from './start-peer.ts';

export type LogLine = { readonly level: string; readonly message: string; readonly code?: string } & Readonly<
  Record<string, unknown>
>;

export type RunningSidecar = Peer & {
  /** Base URL of the admin listener, once it is up. */
  readonly url: string;
  /** How its view of a path is reached from here when it has a file system of its own. */
  inside(path: string): string;
  /** JSON lines of stderr so far. */
  logs(): LogLine[];
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, init?: RequestInit): Promise<Response>;
};

export type StartOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** Wait until /readyz answers 200, not only /startupz. */
  readonly ready?: boolean;
  /** Do not wait for anything: the sidecar is expected to exit. */
  readonly wait?: boolean;
  readonly deadline?: number;
  /** Of a sidecar that runs already, for the words `prestop` and `health`. */
  readonly adminAddress?: string;
  readonly mount?: Mount;
};

/** A file system of its own, mounted on a directory: `{ at: '/tmp/x', options: 'size=2m' }` is a disk that is soon full. */
export type Mount = {
  readonly at: string;
  /** Of tmpfs. */
  readonly options: string;
  /** A file called `filler` takes all the room there is from the start. */
  readonly full?: boolean;
};

/** @param main URL of a main.ts, as import.meta.resolve gives it. */
export async function startSidecar(
  main: string,
  args: readonly string[],
  { env = {}, ready = false, wait = true, deadline = 15_000, adminAddress = '127.0.0.1:0', mount }: StartOptions = {},
): Promise<RunningSidecar> {
  const program = [process.execPath, fileURLToPath(main), '--admin-address', adminAddress, ...args];
  const [command, ...rest] = mount ? mounted(mount, program) : program;
  const started = async (peer: Peer) => {
    const { url } = asSidecar(peer);
    if (!url) return false;
    const { ok } = await fetch(`${url}${ready ? '/readyz' : '/startupz'}`).catch(() => ({ ok: false }));
    return ok;
  };
  const options = { env: { ...withoutParameters(process.env), ...env }, deadline, ...(wait && { ready: started }) };
  return asSidecar(await startPeer(command!, rest, options));
}

/** In a user and mount namespace of its own, which needs no root where the kernel allows it. */
const mounted = ({ at, options, full = false }: Mount, program: readonly string[]): string[] => {
  const fill = full ? '{ cat /dev/zero > "$2/filler" 2>/dev/null || true; } &&' : '';
  const script = `mount -t tmpfs -o "$1" tmpfs "$2" && ${fill} shift 2 && exec "$@"`;
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', options, at, ...program];
};

/** Why `mount` does not work here, for the message of a test that is skipped; '' when it does. */
export function cannotMount(): string {
  const [command, ...args] = mounted({ at: '/mnt', options: 'size=1m' }, ['true']);
  return cannotRun(command!, ...args);
}

/** A developer's own OUTRIGGER_* variables must not reach the sidecar under test. */
const withoutParameters = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OUTRIGGER_')));

function asSidecar(peer: Peer): RunningSidecar {
  let url = '';
  const urlOf = () => {
    // What it logs may be long: only until it is found.
    url ||= /"address":"([^"]+)"[^\n]*Admin listener is up/.exec(peer.stderr)?.[1] ?? '';
    return url && `http://${url}`;
  };
  return Object.defineProperties(Object.create(peer), {
    url: { get: urlOf },
    inside: { value: (path: string) => `/proc/${peer.pid}/root${path}` },
    logs: { value: () => logLines(peer.stderr) },
    get: { value: (path: string, init?: RequestInit) => fetch(`${urlOf()}${path}`, init) },
    post: { value: (path: string, init?: RequestInit) => fetch(`${urlOf()}${path}`, { method: 'POST', ...init }) },
  }) as RunningSidecar;
}

const logLines = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
