// This proxy beside nginx, HAProxy, Caddy and stunnel, in front of the same application: CPU, throughput, latency and memory.
// Takes names of scenarios; all of them without. BENCH_ROUNDS, BENCH_SECONDS (of each measurement) and BENCH_SETTLE (seconds
// until memory is looked at) make it shorter or longer, BENCH_PEERS=nginx,Caddy leaves the others out.

import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { missingPrograms, scratch, writeCertificate } from '@outrigger/core/testing';
import { check } from './check.ts';
import type { Rounds } from './figures.ts';
import type { Bench, Running } from './measured.ts';
import { startOrigin } from './origin.ts';
import { print, printMachine, printScenario, printVerdicts } from './report.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { ownName, type Place, startSubject, subjects } from './subjects.ts';

const packages: Readonly<Record<string, string>> = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  caddy: 'caddy',
  stunnel: 'stunnel4',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
  openssl: 'openssl',
  taskset: 'util-linux',
};

const missing = missingPrograms(...Object.keys(packages));
if (missing) {
  const install = missing.split(', ').map((program) => packages[program]);
  process.stderr.write(
    `Missing: ${missing}. On Debian: apt-get install --no-install-recommends ${install.join(' ')}\n`,
  );
  process.exit(1);
}

const number = (name: string, usual: number) => Number(process.env[name] ?? usual);
const wanted = chosen(process.argv.slice(2), scenarios);
const peers = chosen(process.env.BENCH_PEERS?.split(',') ?? [], subjects);
const compared = subjects.filter((subject) => subject.name === ownName || peers.includes(subject));

await using directory = await scratch();
// An interrupt too leaves nothing: what was launched ends with this process.
process.on('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

await using origin = await startOrigin(directory);
const place = { directory, origin: origin.port, ...(await certificate()) };
const bench: Bench = {
  directory,
  origin,
  rounds: number('BENCH_ROUNDS', 5),
  span: { warmUp: 1, counted: number('BENCH_SECONDS', 3) },
  // A sidecar looks once a minute whether there is memory to give back.
  settling: number('BENCH_SETTLE', 70) * 1000,
};

printMachine(bench, compared);
await printAgreed();
const results = new Map<string, Rounds>();
try {
  for (const scenario of wanted) results.set(scenario.name, await run(scenario));
} finally {
  printVerdicts(results);
}

/** Without names all of them. */
function chosen<T extends { readonly name: string }>(names: readonly string[], all: readonly T[]): readonly T[] {
  const unknown = names.filter((name) => !all.some((each) => each.name === name));
  if (unknown.length > 0)
    throw new Error(`Unknown: ${unknown.join(', ')}. There are ${all.map(({ name }) => name).join(', ')}`);
  return names.length > 0 ? all.filter(({ name }) => names.includes(name)) : all;
}

async function certificate(): Promise<Pick<Place, 'certificateFile' | 'keyFile' | 'pairFile'>> {
  const files = await writeCertificate(directory.path);
  const pairFile = directory.join('tls.pem');
  await writeFile(pairFile, (await readFile(files.certificateFile, 'utf8')) + (await readFile(files.keyFile, 'utf8')));
  return { ...files, pairFile };
}

/** Sizes of bodies and secrets of sessions are nothing without what they are encrypted with. */
async function printAgreed(): Promise<void> {
  const lines: string[] = [];
  for (const subject of compared) {
    await using started = await startSubject(subject, 'http', place);
    lines.push(`${subject.name} ${await check(started, place.certificateFile)}`);
  }
  print(`Agreed with a client of OpenSSL: ${lines.join(', ')}.\n\n`);
}

/** New processes for each scenario: one leaves nothing behind for the next. */
async function run(scenario: Scenario): Promise<Rounds> {
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  const left: string[] = [];
  for (const subject of compared) {
    const started = stack.use(await startSubject(subject, scenario.mode ?? 'http', place));
    await check(started, place.certificateFile);
    if (scenario.can && !(await scenario.can(started))) left.push(subject.name);
    else running.push(started);
  }
  const rounds = await scenario.measure(bench, running);
  printScenario(scenario, rounds, left);
  return rounds;
}
