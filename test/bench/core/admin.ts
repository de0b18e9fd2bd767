// How the admin listener stands 1,000 probers at once: time to the answer, CPU per answer, memory. Beside it node:http alone
// with the same answer in the same run: what is below that, no sidecar on Node can have.

import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, type Scratch, scratch } from '@outrigger/core/testing';
import { cpuMilliseconds, heading, type Subject, start } from '../measure.ts';
import { bundleEmptySidecar, interpreterOf } from '../subjects.ts';
import type { Figures, Load } from './admin-load.ts';

const target = { p99: 50 };
const probers = 1000;
const seconds = Number(process.env.BENCH_SECONDS ?? 8);

type Server = Subject & { readonly port: number };
type Row = Figures & { readonly what: string; readonly cpu: number; readonly added: number };

await using directory = await scratch();
const main = bundleEmptySidecar();
const [bare, sidecar] = [await startedBare(directory), await startedSidecar()];
const rows: Row[] = [];
for (const [mode, how] of [
  ['kept', 'connections kept, next probe at once'],
  ['new', 'a connection each, next probe at once'],
  ['paced', 'a connection each, once a second'],
] as const) {
  for (const [server, path] of [
    [bare, '/readyz'],
    [sidecar, '/readyz'],
    [sidecar, '/livez?verbose'],
  ] as const)
    rows.push(await measure(`${how} | ${server.name} ${path}`, server, { path, mode }));
}
print(rows);

async function startedSidecar(): Promise<Server> {
  const port = await freePort();
  const command = [main, '--admin-address', `127.0.0.1:${port}`, '--log-level', 'error'];
  return { name: 'empty sidecar', port, command, url: `http://127.0.0.1:${port}/readyz` };
}

/** The same bytes, flags and queue of the kernel. */
async function startedBare({ join }: Scratch): Promise<Server> {
  const port = await freePort();
  const file = join('bare.mjs');
  const headers = {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': 3,
  };
  await writeFile(
    file,
    `import { createServer } from 'node:http';
const headers = ${JSON.stringify(headers)};
const server = createServer((_, response) => { response.writeHead(200, headers); response.end('ok\\n'); });
server.listen({ port: ${port}, host: '127.0.0.1', backlog: 4096 });\n`,
  );
  const command = [...interpreterOf(main), file];
  return { name: 'node:http', port, command, url: `http://127.0.0.1:${port}/readyz` };
}

/** A process of its own for each run: one leaves nothing behind for the next. */
async function measure(what: string, server: Server, load: Pick<Load, 'path' | 'mode'>): Promise<Row> {
  await using process = await start(server);
  const added = memoryWatch(process.pid);
  const cpu = cpuMilliseconds(process.pid);
  const figures = await run({ ...load, port: server.port, probers, seconds });
  const spent = cpuMilliseconds(process.pid) - cpu;
  return { what, ...figures, cpu: (spent / figures.allAnswers) * 1000, added: added() };
}

async function run(load: Load): Promise<Figures> {
  const generator = join(import.meta.dirname, 'admin-load.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [generator, JSON.stringify(load)]);
  return JSON.parse(stdout) as Figures;
}

/** From now on, how many MiB of memory the process has come to use at most in addition. */
function memoryWatch(pid: number): () => number {
  const status = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
  // 5 resets the highest value so far.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = status('VmRSS');
  return () => status('VmHWM') - before;
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(
    ({ what, answers, seconds, failures, p50, p99, max, cpu, added }) =>
      `| ${what} | ${(answers / seconds).toFixed(0)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${max.toFixed(0)} | ${failures} | ${cpu.toFixed(0)} | ${added.toFixed(1)} |`,
  );
  process.stdout.write(
    `${heading(`${probers} probers at once, ${seconds} s each; target of p99: ${target.p99} ms`)}` +
      '| probers | asked | answers/s | p50, ms | p99, ms | most, ms | failed | CPU per answer, µs | memory added, MB |\n' +
      `|---|---|---|---|---|---|---|---|---|\n${lines.join('\n')}\n\n`,
  );
}
