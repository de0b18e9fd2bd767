// A real sidecar process, as an image would start it.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };
export type LogLine = { readonly level: string; readonly message: string; readonly code?: string } & Readonly<
  Record<string, unknown>
>;

export type RunningSidecar = AsyncDisposable & {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Base URL of the admin listener, once it is up. */
  readonly url: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exited: Promise<Exit>;
  /** JSON lines of stderr so far. */
  logs(): LogLine[];
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, init?: RequestInit): Promise<Response>;
  kill(signal: NodeJS.Signals): void;
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
  const child = spawn(process.execPath, [fileURLToPath(main), '--admin-address', adminAddress, ...args], {
    env: { ...withoutParameters(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const sidecar = running(child);
  if (!wait) return sidecar;
  try {
    await until(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${main} exited:\n${sidecar.stderr}`);
        if (!sidecar.url) return false;
        const { ok } = await sidecar.get(ready ? '/readyz' : '/startupz').catch(() => ({ ok: false }));
        return ok;
      },
      { deadline, what: () => `${main} to start; it said:\n${sidecar.stderr}` },
    );
  } catch (error) {
    await sidecar[Symbol.asyncDispose]();
    throw error;
  }
  return sidecar;
}

/** A developer's own OUTRIGGER_* variables must not reach the sidecar under test. */
const withoutParameters = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OUTRIGGER_')));

function running(child: ChildProcess): RunningSidecar {
  const output = { stdout: '', stderr: '', url: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    const address = /"address":"([^"]+)"[^\n]*Admin listener is up/.exec(output.stderr)?.[1];
    if (address) output.url = `http://${address}`;
  });
  // After 'close' everything it said has been read.
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  return {
    pid: child.pid!,
    process: child,
    exited,
    get url() {
      return output.url;
    },
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    logs: () =>
      output.stderr
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    get: (path, init) => fetch(`${output.url}${path}`, init),
    post: (path, init) => fetch(`${output.url}${path}`, { method: 'POST', ...init }),
    kill: (signal) => {
      child.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
