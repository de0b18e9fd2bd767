// The demo as `outrigger run` runs it on this machine, from a copy of its manifest that may be edited.

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { type Demo, openReceiver, rotatingOften, type SidecarName, withSetting } from './demo.ts';

const example = fileURLToPath(new URL('..', import.meta.url));
const outrigger = fileURLToPath(new URL('../../../packages/pod/src/main.ts', import.meta.url));

export type LocalDemo = Demo &
  AsyncDisposable & {
    readonly output: string;
    readonly temporary: string;
    readonly exited: Promise<number | null>;
    /** All processes of the Pod that there are. */
    processes(): PodProcess[];
    /** Ctrl-C. */
    interrupt(): void;
  };

type PodProcess = { readonly pid: number; readonly container: string; readonly parent: number };

export async function startLocalDemo(): Promise<LocalDemo> {
  const directory = await scratch();
  const receiver = await openReceiver();
  const manifest = directory.join('pod.yaml');
  const temporary = directory.join('tmp');
  await mkdir(temporary);
  await writeFile(manifest, rotatingOften(await readFile(`${example}pod.yaml`, 'utf8')));
  // Links, so that what they import is found where they really are.
  for (const name of ['billing.cjs', 'setup.ts']) await symlink(`${example}${name}`, directory.join(name));

  const child = spawn(process.execPath, [outrigger, 'run', manifest, ...shippingTo(receiver.port)], {
    env: {
      ...withoutParameters(process.env),
      TMPDIR: temporary,
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return demo(child, { directory, manifest, receiver, temporary });
}

const shippingTo = (port: number) => [
  ...['--env', 'log-shipper.OUTRIGGER_SINK=stdout,forward'],
  ...['--env', `log-shipper.OUTRIGGER_SINK_FORWARD_ADDRESS=127.0.0.1:${port}`],
];

const withoutParameters = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !/^(OUTRIGGER|BILLING)_/.test(name)));

type Parts = {
  readonly directory: Scratch;
  readonly manifest: string;
  readonly temporary: string;
  readonly receiver: Demo['receiver'];
};

function demo(child: ChildProcess, { directory, manifest, temporary, receiver }: Parts): LocalDemo {
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  // The children of the run know the Pod's id; their children inherit it.
  let podId: string | undefined;
  const processes = () => {
    const all = readProcesses();
    podId ??= all.find(({ parent }) => parent === child.pid)?.podId;
    return all.filter((each) => podId !== undefined && each.podId === podId);
  };
  return {
    host: '127.0.0.1',
    receiver,
    temporary,
    exited,
    processes,
    get output() {
      return output;
    },
    volume: (name) => `${temporary}/outrigger-billing/volumes/${name}`,
    async configure(key, value) {
      await writeFile(manifest, withSetting(await readFile(manifest, 'utf8'), key, value));
    },
    async kill(name) {
      process.kill(await mainProcess(name), 'SIGKILL');
    },
    pids: async () => processes().map(({ pid }) => pid),
    interrupt: () => child.kill('SIGINT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(late);
      await receiver[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };

  function mainProcess(name: SidecarName): Promise<number> {
    const isMain = (each: PodProcess) => each.container === name && each.parent === child.pid;
    return until(() => processes().find(isMain)?.pid, { what: `the process of ${name}` });
  }
}

function readProcesses(): (PodProcess & { readonly podId: string | undefined })[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    const environment = readProc(name, 'environ');
    const stat = readProc(name, 'stat');
    if (!environment || !stat) return [];
    const variable = (key: string) => new RegExp(`(?:^|\\0)${key}=([^\\0]*)`).exec(environment)?.[1];
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const container = variable('OUTRIGGER_CONTAINER') ?? '';
    return [{ pid: Number(name), parent, container, podId: variable('OUTRIGGER_POD_ID') }];
  });
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It ended meanwhile, or belongs to somebody else.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
