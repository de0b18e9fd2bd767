// This log shipper beside rsyslog, syslog-ng and, where there is one on the PATH, Fluent Bit: lines per CPU second, MiB/s,
// private memory, and how long a line takes. Takes names of scenarios; all of them without. BENCH_ROUNDS and BENCH_LINES
// make it shorter or longer. Debian cannot install syslog-ng beside rsyslog: unpack its packages with `dpkg -x` and name
// the directory in BENCH_SYSLOG_NG.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { get } from 'node:http';
import { loadavg } from 'node:os';
import { endGroup, pause } from '@outrigger/core';
import { scratch, until } from '@outrigger/core/testing';
import { heading, median } from '../measure.ts';
import { cores, launch, Tree } from '../proxy/machine.ts';
import type { Came } from './receiver.ts';
import { ownName, type ReceiverKind, type Subject, subjects, type Work } from './subjects.ts';

const lineLength = 189;

type Scenario = { readonly name: string; readonly title: string; readonly work: Work; readonly files: number };

const scenarios: readonly Scenario[] = [
  { name: 'raw', title: 'Raw lines, one file', work: 'raw', files: 1 },
  { name: 'json', title: 'JSON lines, parsed, one file', work: 'json', files: 1 },
  { name: 'bulk', title: 'JSON lines, parsed, to Elasticsearch _bulk', work: 'bulk', files: 1 },
  { name: 'cri', title: 'Container logs (CRI), one file', work: 'cri', files: 1 },
  { name: 'files', title: 'Raw lines, 100 files', work: 'raw', files: 100 },
];
const latencyTitle = 'From write to arrival, 1,000 lines/s for 10 s';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const total = Number(process.env.BENCH_LINES ?? 1_000_000);
/** Lines before those that count: a sidecar runs for weeks, and what is compiled while it runs is compiled by then. */
const warmUp = total;
const wanted = process.argv.slice(2);
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
const present = subjects.filter(({ found }) => found());
if (!present.some(({ name }) => name === ownName)) throw new Error('The log shipper is not built: npx pnpm@12 build');

type Result = { perCpu: number; rate: number; memory: number; idle: number };

await using directory = await scratch();
process.on('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

printHead();
for (const scenario of scenarios) if (isWanted(scenario.name)) await compare(scenario);
if (isWanted('latency')) await compareLatency();

function printHead(): void {
  const versions = present.map(({ name, version: [program, ...args] }) => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return `${name} ${/\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of unknown version'}`;
  });
  print(heading(`Log shippers side by side, by turns, ${rounds} rounds`));
  print(`${total} lines of ${lineLength} bytes after ${warmUp} to warm up. `);
  print(`${versions.join(', ')}; the shipper on core ${cores.proxy}, the receiver on ${cores.load}; `);
  print(
    `load average before: ${loadavg()[0]?.toFixed(2)}. Medians; ratios are ours divided by theirs, of each round.\n\n`,
  );
}

async function compare(scenario: Scenario): Promise<void> {
  const able = present.filter(({ receiver }) => receiver(scenario.work));
  const results = new Map<string, Result[]>(able.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const subject of able) results.get(subject.name)!.push(await measure(subject, scenario));
  print(`${scenario.title} (\`${scenario.name}\`):\n\n`);
  print(
    '| | lines per CPU second | ours / theirs | MiB/s | private MiB, most | private MiB, idle before |\n| --- | --- | --- | --- | --- | --- |\n',
  );
  const ours = results.get(ownName)!;
  for (const [name, each] of results) {
    const of = (key: keyof Result) => median(each.map((result) => result[key]));
    const ratio = median(each.map(({ perCpu }, round) => ours[round]!.perCpu / perCpu));
    const figures = [
      of('perCpu').toLocaleString('en', { maximumFractionDigits: 0 }),
      name === ownName ? '' : ratio.toFixed(2),
    ];
    print(
      `| ${[name, ...figures, of('rate').toFixed(0), of('memory').toFixed(1), of('idle').toFixed(1)].join(' | ')} |\n`,
    );
  }
  print('\n');
}

/** From a shipper at rest to one that has delivered everything that came into its files at once. */
async function measure(subject: Subject, { work, files }: Scenario): Promise<Result> {
  await using place = await start(subject, { work, files });
  const idle = await place.tree.memory();
  const block = content(work, 2000);
  let written = 0;
  let memory = idle;
  const ship = async (count: number) => {
    const lines = Math.ceil(count / files);
    const writing = Promise.all(place.paths.map((path) => fill(path, { block, lines })));
    written += lines * files;
    memory = Math.max(memory, await delivered(place, written));
    await writing;
    return lines * files;
  };
  await ship(warmUp);
  const before = place.tree.cpu;
  const begun = performance.now();
  const lines = await ship(total);
  const seconds = (performance.now() - begun) / 1000;
  const cpu = (place.tree.cpu - before) / 1000;
  return { perCpu: lines / cpu, rate: (lines * (lineLength + 1)) / 2 ** 20 / seconds, memory, idle };
}

/** Returns how much private memory there was at most meanwhile. */
async function delivered({ name, tree, came }: Started, lines: number): Promise<number> {
  const begun = performance.now();
  let memory = 0;
  for (let last = begun; ; ) {
    const { lines: now } = await came();
    if (now >= lines) return memory;
    if (performance.now() - begun > 120_000)
      throw new Error(`${name} has delivered ${now} of ${lines} lines in two minutes`);
    if (performance.now() - last > 200) {
      memory = Math.max(memory, await tree.memory());
      last = performance.now();
    }
    await pause(10);
  }
}

async function compareLatency(): Promise<void> {
  print(`${latencyTitle} (\`latency\`):\n\n| | p50 ms | p99 ms | CPU % |\n| --- | --- | --- | --- |\n`);
  for (const subject of present) {
    const runs: { p50: number; p99: number; cpu: number }[] = [];
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      await using place = await start(subject, { work: 'raw', files: 1 });
      const before = place.tree.cpu;
      const begun = performance.now();
      let written = 0;
      while (written < 10_000) {
        const due = Math.min(10_000, Math.floor(performance.now() - begun));
        if (due > written) await appendFile(place.paths[0]!, stamped(due - written));
        written = due;
        await pause(2);
      }
      await until(async () => (await place.came()).lines >= written, { deadline: 30_000, what: () => subject.name });
      const { p50, p99 } = await place.came();
      runs.push({ p50, p99, cpu: (place.tree.cpu - before) / (performance.now() - begun) });
    }
    const of = (key: 'p50' | 'p99' | 'cpu') => median(runs.map((run) => run[key]));
    print(
      `| ${[subject.name, of('p50').toFixed(1), of('p99').toFixed(1), (of('cpu') * 100).toFixed(1)].join(' | ')} |\n`,
    );
  }
  print('\n');
}

type Started = Awaited<ReturnType<typeof start>>;

async function start(subject: Subject, { work, files }: { work: Work; files: number }) {
  const own = directory.join(`${subject.name}-${Date.now()}`);
  mkdirSync(`${own}/logs`, { recursive: true });
  const paths = Array.from({ length: files }, (_, index) => `${own}/logs/app-${index}.log`);
  for (const path of paths) await appendFile(path, '');
  const receiver = await launch('load', [
    process.execPath,
    `${import.meta.dirname}/receiver.ts`,
    subject.receiver(work) as ReceiverKind,
  ]);
  await until(() => receiver.stdout.includes('\n'), { deadline: 10_000, what: () => `a receiver: ${receiver.stderr}` });
  const [port, control] = receiver.stdout.split(' ').slice(1).map(Number);
  const { command, env } = await subject.configure({ directory: own, files: `${own}/logs/*.log`, work, port: port! });
  const shipper = await launch('proxy', command, env);
  const tree = new Tree(shipper.pid);
  const came = () => ask(control!);
  // At rest: a line that came all the way, and no CPU used for a while after it.
  await appendFile(paths[0]!, content(work, 1));
  const ended = () => shipper.process.exitCode !== null;
  await until(async () => ended() || (await came()).lines >= 1, {
    deadline: 30_000,
    what: () => `${subject.name}: ${shipper.stdout}${shipper.stderr}`,
  });
  if (ended()) throw new Error(`${subject.name} has ended: ${shipper.stdout}${shipper.stderr}`);
  await quiet(tree);
  const first = await came();
  return {
    name: subject.name,
    tree,
    paths,
    came: async () => {
      const now = await came();
      return { ...now, lines: now.lines - first.lines };
    },
    async [Symbol.asyncDispose]() {
      await endGroup(shipper.process);
      await endGroup(receiver.process);
      rmSync(own, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function quiet(tree: Tree): Promise<void> {
  for (let waited = 0, before = tree.cpu; waited < 20; waited++) {
    await pause(500);
    const now = tree.cpu;
    if (now - before < 5) return;
    before = now;
  }
}

function ask(port: number): Promise<Came> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.toArray().then((chunks) => resolve(JSON.parse(Buffer.concat(chunks).toString())), reject);
    }).on('error', reject);
  });
}

/** Lines of one length, like those of an application. */
function content(work: Work, count: number): string {
  let text = '';
  for (let index = 0; index < count; index++) {
    const time = `2026-11-20T10:${String(index % 60).padStart(2, '0')}:30.123456789Z`;
    const json = `{"time":"${time}","level":"info","logger":"com.example.billing","request":${100_000 + (index % 800_000)},"message":"invoice created","customer":"c-`;
    const head = {
      raw: `${time} INFO com.example.billing invoice created for customer `,
      cri: `${time} stdout F `,
      json,
      bulk: json,
    }[work];
    const tail = work === 'json' || work === 'bulk' ? '"}' : '';
    text += `${head}${'x'.repeat(lineLength - head.length - tail.length)}${tail}\n`;
  }
  return text;
}

function stamped(count: number): string {
  const micros = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const head = `t=${micros} INFO com.example.billing invoice created `;
  return `${head}${'x'.repeat(lineLength - head.length)}\n`.repeat(count);
}

async function fill(path: string, { block, lines }: { block: string; lines: number }): Promise<void> {
  const bytes = Buffer.from(block);
  const step = bytes.length / (lineLength + 1);
  await using file = await open(path, 'a');
  for (let written = 0; written < lines; written += step)
    await file.write(bytes, 0, Math.min(step, lines - written) * (lineLength + 1));
}

function print(text: string): void {
  process.stdout.write(text);
}
