// A real sidecar process, as an image would start it.

import { fileURLToPath } from 'node:url';
import { type Peer, startPeer } from './start-peer.ts';

export type LogLine = { readonly level: string; readonly message: string; readonly code?: string } & Readonly<
  Record<string, unknown>
>;

export type RunningSidecar = Peer & {
  /** Base URL of the admin listener, once it is up. */
  readonly url: string;
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
};

/** @param main URL of a main.ts, as import.meta.resolve gives it. */
export async function startSidecar(
  main: string,
  args: readonly string[],
  { env = {}, ready = false, wait = true, deadline = 15_000, adminAddress = '127.0.0.1:0' }: StartOptions = {},
): Promise<RunningSidecar> {
  const command = [fileURLToPath(main), '--admin-address', adminAddress, ...args];
  const started = async (peer: Peer) => {
    const { url } = asSidecar(peer);
    if (!url) return false;
    const { ok } = await fetch(`${url}${ready ? '/readyz' : '/startupz'}`).catch(() => ({ ok: false }));
    return ok;
  };
  const options = { env: { ...withoutParameters(process.env), ...env }, deadline, ...(wait && { ready: started }) };
  return asSidecar(await startPeer(process.execPath, command, options));
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
