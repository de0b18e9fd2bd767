// What the demo Pod does, asserted from outside. Wherever it runs, it keeps the same promises.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { every } from '@outrigger/core';
import { until } from '@outrigger/core/testing';
import { describe, expect, test } from 'vitest';
import { ask, type Client, json } from './client.ts';
import type { Receiver } from './receiver.ts';

export { ask, type Client } from './client.ts';
export { openReceiver, type Receiver } from './receiver.ts';

export const sidecars = ['monitor', 'log-shipper', 'adapter', 'git-sync', 'config-reloader', 'proxy'] as const;
export type SidecarName = (typeof sidecars)[number];

const adminPorts: Readonly<Record<SidecarName, number>> = {
  monitor: 9400,
  proxy: 9401,
  'log-shipper': 9402,
  adapter: 9403,
  'git-sync': 9404,
  'config-reloader': 9405,
};

/** A running demo Pod: where it is, and how to act on it. */
export type Demo = {
  /** Its address as seen from here. */
  readonly host: string;
  /** Where the log-shipper was told to ship to. */
  readonly receiver: Receiver;
  /** The directory of a volume, on this machine. */
  volume(name: 'tls' | 'repository' | 'content' | 'logs' | 'state'): string;
  /** Changes a setting of the application in its ConfigMap. */
  configure(key: string, value: string): Promise<void>;
  /** Sends SIGKILL to the program of a sidecar. */
  kill(name: SidecarName): Promise<void>;
  /** Pids of all its processes, as they themselves see them. */
  pids(): Promise<number[]>;
  /** Called when somebody has pushed to the repository. */
  pushed?(): Promise<void>;
};

export const adminUrl = ({ host }: Demo, name: SidecarName) => `http://${host}:${adminPorts[name]}`;

/** A manifest whose application rotates its log every few dozen lines, and keeps everything. */
export const rotatingOften = (manifest: string) =>
  withSetting(withSetting(manifest, 'log.limit', '4096'), 'log.keep', '500');

/** The text of settings, or of a manifest that holds them, with another value of one. */
export const withSetting = (text: string, key: string, value: string) =>
  text.replace(new RegExp(`(?<=${RegExp.escape(key)} = ).*`), value);

export async function client(demo: Demo): Promise<Client> {
  return { host: demo.host, port: 8443, ca: await readFile(join(demo.volume('tls'), 'ca.crt'), 'utf8') };
}

/** Waits until every sidecar is ready and the application answers through the proxy. */
export async function untilServing(demo: Demo, deadline = 30_000): Promise<void> {
  for (const name of sidecars) await untilReady(demo, name, deadline);
  await until(
    () =>
      client(demo)
        .then((each) => ask(each, '/'))
        .then(isOk, no),
    { deadline, what: 'the application' },
  );
}

const isOk = ({ status }: { status: number }) => status === 200;
const no = () => false;

function untilReady(demo: Demo, name: SidecarName, deadline: number): Promise<true> {
  const ready = () => fetch(`${adminUrl(demo, name)}/readyz`).then(({ ok }) => ok, no);
  return until(ready, { deadline, what: `${name} to be ready` });
}

/** Registers the tests. @param running the demo, once the tests run. */
export function behavesAsDemo(running: () => Demo): void {
  test('the application answers over HTTPS and learns who asked', async () => {
    const https = await client(running());
    const { status, body } = await ask(https, '/invoices');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toHaveLength(3);
    expect(await json(https, '/whoami')).toMatchObject({
      client: '127.0.0.1',
      forwardedFor: expect.stringMatching(/^[\d.]+$/),
      forwardedProto: 'https',
    });
  });

  test('the log line of a request arrives at a Forward receiver', async () => {
    const demo = running();
    const marker = `/invoices?marker=${randomUUID()}`;
    await ask(await client(demo), marker);
    const arrived = () => [...demo.receiver.lines].some((line) => line.endsWith(`GET ${marker} 200`));
    await until(arrived, { what: `the line of ${marker}` });
  });

  test('the numbers of its XML status page are on the metrics page of the adapter', async () => {
    const demo = running();
    const https = await client(demo);
    await ask(https, '/invoices');
    const count = /path="\/invoices" count="(\d+)"/.exec((await ask(https, '/status.xml')).body)?.[1];
    expect(Number(count)).toBeGreaterThan(0);
    const wanted = `billing_requests_total{path="/invoices"} ${count}`;
    const metrics = () => fetch(`${adminUrl(demo, 'adapter')}/metrics`).then((response) => response.text());
    await until(async () => (await metrics()).split('\n').includes(wanted), { what: wanted });
    expect(await metrics()).toContain('billing_info{version="3.2"} 1');
  });

  keepsUpToDate(running);
  survivesKills(running);
}

function keepsUpToDate(running: () => Demo): void {
  test('a git push appears in the shared directory and in what the application serves', async () => {
    const demo = running();
    const prices = { hourly: 95, id: randomUUID() };
    await push(demo, prices);
    const shared = join(demo.volume('content'), 'current', 'prices.json');
    await until(async () => (await readFile(shared, 'utf8')).includes(prices.id), { what: `the push in ${shared}` });
    expect(await json(await client(demo), '/prices')).toEqual(prices);
  });

  test('the application answers with the new value of a setting that was edited', async () => {
    const demo = running();
    const https = await client(demo);
    expect(await json(https, '/config')).toMatchObject({ 'vat.percent': '19' });
    await demo.configure('vat.percent', '21');
    const value = async () => (await json<Record<string, string>>(https, '/config'))['vat.percent'];
    // A cluster's kubelet may take a minute to swap; the one here does it at once.
    await until(async () => (await value()) === '21', { what: 'the new setting' });
  });

  test('the monitor names every process, and every other sidecar as ready', async () => {
    const demo = running();
    const url = adminUrl(demo, 'monitor');
    const listed = async () =>
      ((await (await fetch(`${url}/v1/processes`)).json()) as { pid: number }[]).map(({ pid }) => pid);
    // Programs come and go meanwhile: git's, and the health probes'.
    await until(async () => sorted(await listed()) === sorted(await demo.pids()), { what: 'the same processes' });
    const ready = async () =>
      ((await (await fetch(`${url}/v1/health`)).json()) as { name: string; state: string }[])
        .filter(({ state }) => state === 'ready')
        .map(({ name }) => name);
    const others = sidecars.filter((name) => name !== 'monitor');
    await until(async () => (await ready()).toSorted().join() === others.toSorted().join(), {
      what: 'all to be ready',
    });
    const page = async () => (await fetch(url)).text();
    for (const name of others) expect(await page()).toContain(name);
    const unnamed = async () => {
      const [text, pids] = await Promise.all([page(), demo.pids()]);
      return pids.filter((pid) => !new RegExp(`>${pid}<`).test(text));
    };
    await until(async () => (await unnamed()).length === 0, { what: 'every process on the page' });
  });
}

function survivesKills(running: () => Demo): void {
  describe('kill -9 of a sidecar', () => {
    test.each(sidecars)('%s comes back, and neither the others nor the application notice', async (name) => {
      const demo = running();
      const before = await startTimes(demo);
      const uptime = await applicationUptime(demo);
      await using traffic = openTraffic(await client(demo));
      await until(() => traffic.answered > 5, { what: 'traffic' });
      await demo.kill(name);
      await until(async () => hasRestarted(await startTime(demo, name), before[name]), { what: `${name} to restart` });
      await untilReady(demo, name, 20_000);
      const answered = traffic.answered;
      await until(() => traffic.answered > answered + 5, { what: 'traffic afterwards' });
      // While the proxy itself is away nobody can be answered.
      if (name !== 'proxy') expect(traffic.failures).toEqual([]);
      const { [name]: _, ...others } = await startTimes(demo);
      expect(before).toMatchObject(others);
      expect(await applicationUptime(demo)).toBeGreaterThanOrEqual(uptime);
    });

    test('no log line was lost on the way', async () => {
      const { receiver, volume } = running();
      const files = await logsIn(volume('logs'));
      expect(files.length).toBeGreaterThan(2);
      const written = files.flatMap((text) => text.split('\n').slice(0, -1));
      const missing = () => written.filter((line) => !receiver.lines.has(line));
      await until(() => missing().length === 0, { what: () => `these lines:\n${missing().join('\n')}` });
    });
  });
}

const sorted = (pids: readonly number[]) => pids.toSorted((a, b) => a - b).join();

const run = promisify(execFile);

/** As a person does it: clone, edit, commit, push. */
async function push(demo: Demo, prices: object): Promise<void> {
  const directory = demo.volume('repository');
  const checkout = join(directory, 'checkout');
  const settings = join(directory, 'gitconfig');
  // The repository of a Pod belongs to the Pod's user.
  await writeFile(settings, '[user]\nname = Test\nemail = test@example.com\n[safe]\ndirectory = *\n');
  const env = { ...process.env, GIT_CONFIG_GLOBAL: settings, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]) => run('git', args, { env });
  await git('clone', '--quiet', join(directory, 'billing.git'), checkout);
  await writeFile(join(checkout, 'prices.json'), JSON.stringify(prices));
  await git('-C', checkout, 'commit', '--quiet', '--all', '--message', 'Change prices');
  await git('-C', checkout, 'push', '--quiet');
  await rm(checkout, { recursive: true });
  await rm(settings);
  await demo.pushed?.();
}

async function startTime(demo: Demo, name: SidecarName): Promise<number | undefined> {
  const text = await fetch(`${adminUrl(demo, name)}/metrics`).then(
    (response) => response.text(),
    () => '',
  );
  const value = /^process_start_time_seconds (\S+)$/m.exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

const hasRestarted = (now: number | undefined, before: number | undefined) => now !== undefined && now !== before;

const startTimes = async (demo: Demo): Promise<Partial<Record<SidecarName, number>>> =>
  Object.fromEntries(await Promise.all(sidecars.map(async (name) => [name, await startTime(demo, name)] as const)));

async function applicationUptime(demo: Demo): Promise<number> {
  const { body } = await ask(await client(demo), '/status.xml');
  return Number(/uptime="(\d+)"/.exec(body)?.[1]);
}

type Traffic = AsyncDisposable & { readonly answered: number; readonly failures: readonly string[] };

/** One request after the other until it is disposed. */
function openTraffic(https: Client): Traffic {
  const stop = new AbortController();
  const failures: string[] = [];
  let answered = 0;
  const ended = every(10, stop.signal, async () => {
    const outcome = await ask(https, `/invoices?traffic=${answered}`).catch((error: Error) => error);
    if (outcome instanceof Error) failures.push(outcome.message);
    else if (outcome.status === 200) answered++;
    else failures.push(`status ${outcome.status}`);
  });
  return {
    get answered() {
      return answered;
    },
    failures,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

/** The application's log, and what it rotated away. */
async function logsIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('billing.log'));
  return Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
}
