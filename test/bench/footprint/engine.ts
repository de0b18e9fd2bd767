// Containers in Pods of podman's, as small and as locked down as the examples run them, and what each of them costs.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { wait } from '@outrigger/core';

const run = promisify(execFile);
const env = {
  ...process.env,
  CONTAINERS_CONF: fileURLToPath(import.meta.resolve('../../system/containers.conf')),
};

export async function podman(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('podman', args, { env, timeout: 120_000, killSignal: 'SIGKILL', maxBuffer: 1 << 26 });
  return stdout.trimEnd();
}

export type Contained = {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** Flags of podman's beside those that all have. */
  readonly flags?: readonly string[];
  /** Answers once it is ready, with any status or, without a path, by accepting a connection. */
  readonly port: number;
  readonly path?: string;
};

/** In MiB. */
export type Cost = {
  /** Data pages that nobody else has. */
  readonly dirty: number;
  /** What its end would give back to the node: all pages that nobody else has mapped. */
  readonly unique: number;
  /** As the kubelet counts it: with what the kernel holds for it, without what it could drop at once. */
  readonly workingSet: number;
};

export class Pod implements AsyncDisposable {
  readonly #name = `outrigger-footprint-${process.pid}-${made++}`;
  #address = '';

  static async open(): Promise<Pod> {
    const pod = new Pod();
    await podman('pod', 'create', '--name', pod.#name, '--share', 'net,ipc,uts');
    await podman('pod', 'start', pod.#name);
    const infra = await podman('pod', 'inspect', '--format', '{{.InfraContainerID}}', pod.#name);
    pod.#address = await podman('inspect', '--format', '{{.NetworkSettings.IPAddress}}', infra);
    return pod;
  }

  /** Milliseconds from the start of its process to its first answer. */
  async start({ name, image, args, flags = [], port, path }: Contained): Promise<number> {
    const limits = ['--read-only', '--cap-drop=all', '--security-opt=no-new-privileges', '--memory=128m'];
    const container = `${this.#name}-${name}`;
    await podman('create', '--pod', this.#name, '--name', container, ...limits, ...flags, image, ...args);
    const started = podman('start', container);
    const end = performance.now() + 20_000;
    while (!(await answers(this.#address, port, path))) {
      if (performance.now() > end)
        throw new Error(`${name} was not ready in time:\n${await podman('logs', container)}`);
      await wait(2);
    }
    const ready = Date.now();
    await started;
    return (
      ready -
      Date.parse(
        await podman('inspect', '--format', '{{.State.StartedAt.Format "2006-01-02T15:04:05.000Z07:00"}}', container),
      )
    );
  }

  /** Once it has come to rest. */
  async cost(name: string): Promise<Cost> {
    const pid = Number(await podman('inspect', '--format', '{{.State.Pid}}', `${this.#name}-${name}`));
    let settled = costOf(pid);
    const end = performance.now() + 60_000;
    for (let since = performance.now(); performance.now() < Math.min(since + 10_000, end); await wait(250)) {
      const now = costOf(pid);
      if (Math.abs(now.dirty - settled.dirty) < 0.1) continue;
      settled = now;
      since = performance.now();
    }
    return costOf(pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await podman('pod', 'rm', '--force', '--time', '1', this.#name);
  }
}

let made = 0;

async function answers(host: string, port: number, path: string | undefined): Promise<boolean> {
  if (path !== undefined)
    return fetch(`http://${host}:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect(port, host, () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Of all processes in the container that a process is the first of. */
function costOf(pid: number): Cost {
  const group = cgroupOf(pid, 'memory');
  const pids = readdirSync('/proc').filter((each) => /^\d+$/.test(each) && cgroupOf(Number(each), 'memory') === group);
  const sum = (field: string) =>
    pids.reduce((total, each) => total + fieldOf(read(`/proc/${each}/smaps_rollup`), field), 0);
  return {
    dirty: sum('Private_Dirty') / 1024,
    unique: (sum('Private_Dirty') + sum('Private_Clean')) / 1024,
    workingSet: workingSetOf(group) / 2 ** 20,
  };
}

function workingSetOf(group: string): number {
  const [v1, v2] = [`/sys/fs/cgroup/memory${group}`, `/sys/fs/cgroup${group}`];
  const used = read(`${v1}/memory.usage_in_bytes`) || read(`${v2}/memory.current`);
  const stat = read(`${v1}/memory.stat`) || read(`${v2}/memory.stat`);
  const inactive = /^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1];
  return Number(used) - Number(inactive ?? 0);
}

const cgroupOf = (pid: number, controller: string): string => {
  const lines = read(`/proc/${pid}/cgroup`).split('\n');
  const line =
    lines.find((each) => each.split(':')[1]?.split(',').includes(controller)) ??
    lines.find((each) => each.startsWith('0:'));
  return line?.split(':').slice(2).join(':') ?? '';
};

const fieldOf = (text: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);

/** Nothing of what is not there, or not any more. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
