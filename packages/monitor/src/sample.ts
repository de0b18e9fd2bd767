// Sample: what every process of the Pod uses now.

import { ProcessTable, type ProcessUsage } from '@outrigger/core';

export type MemoryKind = 'pss' | 'rss';

export type Measured = ProcessUsage & {
  /** Bytes. */
  readonly memory: number;
  /** Proportional set size where it may be read, else resident set size, which counts shared pages in full. */
  readonly memoryKind: MemoryKind;
};

export type Sample = {
  readonly time: Date;
  /** Milliseconds on the monotonic clock, for intervals. */
  readonly at: number;
  readonly took: number;
  readonly processes: readonly Measured[];
};

type Reading = {
  readonly startTime: number;
  readonly pss: number | undefined;
  readonly resident: number;
  readonly readAt: number;
  /** Not before, however much it grew. */
  readonly restUntil: number;
};

// Reading the proportional size walks the process's page tables while the process may have to wait for us, so a reading
// that took long is not repeated soon: at most a thousandth of the time goes there, per process.
const rest = 1000;
const oldest = 30_000;
const youngest = 5_000;
// With thousands of processes the proportional sizes come in over several samples.
const budget = 200;

export class Sampler {
  readonly #table: ProcessTable;
  readonly #readings = new Map<number, Reading>();

  constructor(table = new ProcessTable()) {
    this.#table = table;
  }

  async take(): Promise<Sample> {
    const time = new Date();
    const at = performance.now();
    const usages = await this.#table.scan();
    const pids = new Set(usages.map(({ pid }) => pid));
    for (const pid of this.#readings.keys()) if (!pids.has(pid)) this.#readings.delete(pid);
    const processes: Measured[] = [];
    for (const usage of usages) processes.push(await this.#measure(usage, at + budget));
    return { time, at, took: performance.now() - at, processes };
  }

  async #measure(usage: ProcessUsage, deadline: number): Promise<Measured> {
    const known = this.#readings.get(usage.pid);
    const mayRead = performance.now() < deadline;
    const reading = (known && !isDue(known, usage)) || !mayRead ? known : await this.#read(usage);
    if (reading?.pss === undefined || reading.startTime !== usage.startTime)
      return { ...usage, memory: usage.resident, memoryKind: 'rss' };
    // What it grew by since then is taken to be its own.
    const memory = Math.max(0, reading.pss + usage.resident - reading.resident);
    return { ...usage, memory, memoryKind: 'pss' };
  }

  async #read({ pid, startTime, resident }: ProcessUsage): Promise<Reading> {
    const readAt = performance.now();
    const pss = resident === 0 ? undefined : await this.#table.proportionalMemory(pid);
    const restUntil = readAt + (performance.now() - readAt) * rest;
    const reading = { startTime, pss, resident, readAt, restUntil };
    this.#readings.set(pid, reading);
    return reading;
  }
}

function isDue({ startTime, resident, readAt, restUntil }: Reading, usage: ProcessUsage): boolean {
  if (startTime !== usage.startTime) return true;
  const now = performance.now();
  const changed = Math.abs(usage.resident - resident) > resident / 10;
  return now > restUntil && now - readAt > (changed ? youngest : oldest);
}
