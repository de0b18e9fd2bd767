// The ways to measure the subjects of a scenario: under load, at half load, and idle. By turns, A B C A B C, so that what
// else happens on the machine meets all of them alike.

import { join } from 'node:path';
import { endGroup, wait } from '@outrigger/core';
import type { Scratch } from '@outrigger/core/testing';
import type { Figures, Rounds } from './figures.ts';
import type { Idle } from './load/idle-clients.ts';
import type { Load, Span } from './load/load.ts';
import { paced } from './load/paced.ts';
import { wrk } from './load/wrk.ts';
import { launch, type Server, type Tree, untilReady } from './machine.ts';
import type { Counts, Origin } from './origin.ts';

/** A subject, or the application itself. */
export type Running = Server & { readonly name: string };

export type Bench = {
  readonly directory: Scratch;
  readonly origin: Origin;
  readonly rounds: number;
  readonly span: Span;
  /** Milliseconds until what is idle has given back the memory that it will. */
  readonly settling: number;
};

export type Measure = (bench: Bench, running: readonly Running[]) => Promise<Rounds>;

type Loaded = {
  readonly load: Load;
  /** Of the body that a request or its answer has. */
  readonly bytes?: number;
};

const directName = 'the application itself';

export function underLoad({ load, bytes = 0 }: Loaded): Measure {
  return (bench, running) =>
    byTurns(bench, running, async (subject) => withBodies(await loaded(bench, subject, load), bytes));
}

/** At half of what the slowest can take, beside the application without any proxy. */
export function atHalfLoad(): Measure {
  return async (bench, running) => {
    const rates: number[] = [];
    for (const subject of running)
      rates.push((await loaded({ ...bench, span: { warmUp: 1, counted: 2 } }, subject, wrk({ get: '/small' }))).rate);
    const load = paced(Math.floor(Math.min(...rates) / 2));
    const direct = { ...bench.origin, name: directName };
    return withAdded(await byTurns(bench, [direct, ...running], (subject) => loaded(bench, subject, load)));
  };
}

async function byTurns(
  { rounds }: Bench,
  running: readonly Running[],
  measure: (subject: Running) => Promise<Figures>,
): Promise<Rounds> {
  const all = new Map(running.map(({ name }): [string, Figures[]] => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const subject of running) all.get(subject.name)?.push(await measure(subject));
  return all;
}

type Sample = Counts & { readonly at: number; readonly cpu: number };

/** Counted is only what the application answers while the load is even: no start, no first handshakes. */
async function loaded({ directory, origin, span }: Bench, { name, port, tree }: Running, load: Load) {
  const isDirect = name === directName;
  const { over } = await load({ port, directory, secure: !isDirect }, span);
  const during = async (seconds: number) => {
    const isOver = await Promise.race([over.then(() => true), wait(seconds * 1000)]);
    if (isOver) throw new Error(`${name}: the load ended too soon`);
  };
  await during(span.warmUp);
  const before = await sample(origin, tree);
  await during(span.counted);
  const after = await sample(origin, tree);
  const memory = await tree.memory();
  const latency = await over;
  const figures = { ...difference(before, after), ...latency };
  return isDirect ? { rate: figures.rate, ...latency } : { ...figures, memory };
}

async function sample(origin: Origin, tree: Tree): Promise<Sample> {
  const counts = await origin.counts();
  return { ...counts, at: performance.now(), cpu: tree.cpu };
}

function difference(before: Sample, after: Sample) {
  const requests = after.requests - before.requests;
  const elapsed = after.at - before.at;
  const cpu = after.cpu - before.cpu;
  return {
    rate: (requests / elapsed) * 1000,
    cpu: (cpu / requests) * 1000,
    used: (cpu / elapsed) * 100,
    opened: ((after.connections - before.connections) / requests) * 1000,
  };
}

function withBodies(figures: Figures, bytes: number): Figures {
  const { rate = Number.NaN, cpu = Number.NaN } = figures;
  const mebibytes = bytes / (1 << 20);
  return bytes ? { ...figures, mebibytes: rate * mebibytes, cpuPerMebibyte: cpu / 1000 / mebibytes } : figures;
}

function withAdded(rounds: Rounds): Rounds {
  const direct = rounds.get(directName) ?? [];
  const added = ([name, each]: readonly [string, readonly Figures[]]): [string, readonly Figures[]] => [
    name,
    each.map((figures, round) => (name === directName ? figures : { ...figures, ...over(figures, direct[round]) })),
  ];
  return new Map([...rounds].map(added));
}

const over = (figures: Figures, { p50 = Number.NaN, p99 = Number.NaN }: Figures = {}): Figures => ({
  added50: (figures.p50 ?? Number.NaN) - p50,
  added99: (figures.p99 ?? Number.NaN) - p99,
});

/** All at once and one round: memory is not disturbed by other processes. */
export function holding(connections: number): Measure {
  return async (bench, running) => {
    const each = running.map(async (subject): Promise<[string, Figures[]]> => {
      return [subject.name, [await held(bench, subject, connections)]];
    });
    return new Map(await Promise.all(each));
  };
}

async function held({ settling }: Bench, { port, tree }: Running, connections: number): Promise<Figures> {
  await wait(settling);
  const idle = await tree.memory();
  const script = join(import.meta.dirname, 'load/idle-clients.ts');
  const command = [process.execPath, script, JSON.stringify({ port, connections } satisfies Idle)] as const;
  const clients = await launch('load', command);
  try {
    await untilReady(clients, command);
    await wait(settling);
    const memory = await tree.memory();
    if (clients.process.exitCode !== null) throw new Error(`Not all connections were held:\n${clients.stderr}`);
    return { idle, memory, perConnection: ((memory - idle) * 1024) / connections };
  } finally {
    await endGroup(clients.process);
  }
}
