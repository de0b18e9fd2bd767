// What each bundled sidecar costs while idle: private memory, CPU, and how soon it is ready. Beside it, the least a Node
// process with an HTTP listener costs, since that is what the rest is added to. Linux.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { wait } from '@outrigger/core';
import { freePort, type Scratch, scratch } from '@outrigger/core/testing';
import { cpuMilliseconds, heading, type Subject, settledMemory, start } from './measure.ts';
import { bareServer } from './subjects.ts';

const root = resolve(import.meta.dirname, '../..');
const budget = { memory: 22, monitor: 30, ready: 300 };
const idleSeconds = 10;
// A sidecar gives back what its start took within seconds.
const settling = 10_000;

type Row = { readonly name: string; readonly ready: number; readonly memory: number; readonly cpu: number };

await using directory = await scratch();
const rows = [await measureProcess(await bareServer(directory))];
for (const [role, args] of Object.entries(await roleArguments(directory))) rows.push(await measure(role, args));
print(rows);

async function roleArguments({ path, join: at }: Scratch): Promise<Record<string, string[]>> {
  await mkdir(at('watched'));
  await writeFile(at('watched', 'a'), '1');
  await writeFile(at('app.log'), 'a line\n');
  await mkdir(at('state'));
  await writeFile(at('status.xml'), '<status uptime="3"/>');
  await writeFile(at('rules.yaml'), readFileSync(join(root, 'test/bench/rules.yaml')));
  const git = (...args: string[]) => execFileSync('git', args, { cwd: path, stdio: 'ignore' });
  git('init', '-q', '-b', 'main', 'repository');
  await writeFile(at('repository', 'a'), '1');
  git('-C', 'repository', 'add', '.');
  git('-C', 'repository', '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', 'commit', '-qm', 'one');
  return {
    proxy: ['--listen-address', '127.0.0.1:0', '--upstream', `http://127.0.0.1:${await freePort()}`],
    'log-shipper': ['--source-file-paths', at('app.log'), '--state-directory', at('state')],
    adapter: ['--target', `file://${at('status.xml')}`, '--rules-file', at('rules.yaml')],
    'git-sync': ['--repo', `file://${at('repository')}`, '--ref', 'main', '--root', at('synced')],
    'config-reloader': ['--watch', at('watched'), '--notify', 'http', '--notify-http-url', 'http://127.0.0.1:1/'],
    monitor: [],
  };
}

async function measure(role: string, args: readonly string[]): Promise<Row> {
  const port = await freePort();
  const command = [join(root, 'packages', role, 'dist/main.mjs'), '--admin-address', `127.0.0.1:${port}`, ...args];
  return measureProcess({ name: role, command, url: `http://127.0.0.1:${port}/startupz` });
}

async function measureProcess(subject: Subject): Promise<Row> {
  await using process = await start(subject);
  const memory = await settledMemory(process.pid, settling);
  const before = cpuMilliseconds(process.pid);
  await wait(idleSeconds * 1000);
  const cpu = (cpuMilliseconds(process.pid) - before) / idleSeconds;
  return { name: subject.name, ready: process.ready, memory, cpu };
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(({ name, ready, memory, cpu }) => {
    const limit = name === 'monitor' ? budget.monitor : budget.memory;
    return `| ${name} | ${memory.toFixed(1)} | ${limit} | ${ready.toFixed(0)} | ${budget.ready} | ${cpu.toFixed(1)} |`;
  });
  process.stdout.write(
    heading('Idle sidecars') +
      '| sidecar | private memory, MB | budget | started after, ms | budget | CPU while idle, ms/s |\n|---|---|---|---|---|---|\n' +
      `${lines.join('\n')}\n\n`,
  );
}
