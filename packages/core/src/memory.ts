// The memory plan: what the container may use, how it is divided, and when to refuse work rather than be killed for it.

import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { type CgroupMemory, readCgroupMemory } from './cgroup.ts';

/** GET /v1/budget. All in bytes. */
export type Budget = {
  readonly limit: number;
  readonly limitSource: 'cgroup v1' | 'cgroup v2' | 'machine';
  /** Of the whole control group, without files that the kernel can drop. */
  readonly used: number;
  readonly heap: { readonly limit: number; readonly used: number };
  /** What queues, batches and connections of this sidecar may hold together. */
  readonly buffers: number;
  /** New work is refused until memory is free again. */
  readonly shedding: boolean;
};

/** What start receives. */
export type Memory = {
  /** Ask before taking on more work; cheap enough for each request. */
  readonly shedding: boolean;
  /** Bytes for one kind of buffer: a part of what all buffers may hold. */
  share(fraction: number): number;
};

// Code, stacks and what libraries hold: measured, an idle sidecar has 20 to 30 MB of its own.
const program = 32 * 1024 ** 2;
// Without a limit there is nothing to divide: buffers are then what they would be in a container of this size.
const unlimited = 1024 ** 3;

// The kernel kills at 100 %. Between asking for memory and having it back (a collection, a client that takes its answer)
// a loaded sidecar needs some tens of megabytes, hence the distance; the gap between the two keeps it from flapping.
const shedAbove = 0.9;
const shedUntil = 0.8;

/** How old a reading may be, in milliseconds. One costs 30 us, and several times that near the limit. */
const freshMilliseconds = 100;

export type MemoryOptions = {
  /** Told when shedding begins and ends. */
  readonly changed: (shedding: boolean, budget: Budget) => void;
  /** The kernel's unless a test has its own. */
  readonly read?: (exactFrom: number) => CgroupMemory | undefined;
};

export class MemoryPlan implements Memory {
  readonly #options: Required<MemoryOptions>;
  #reading: CgroupMemory | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #shedding = false;

  constructor(options: MemoryOptions) {
    this.#options = { read: (exactFrom) => readCgroupMemory(undefined, exactFrom), ...options };
    this.#look();
  }

  get shedding(): boolean {
    if (performance.now() - this.#readAt > freshMilliseconds) this.#look();
    return this.#shedding;
  }

  share(fraction: number): number {
    return Math.floor(this.#buffers * fraction);
  }

  /** What the V8 heap may grow to does not fit into the limit: the kernel would kill before the collector tries hard. */
  get oversizedHeap(): boolean {
    const limit = this.#reading?.limit;
    return limit !== undefined && getHeapStatistics().heap_size_limit > limit;
  }

  budget(): Budget {
    this.#look(0);
    const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
    const reading = this.#reading;
    return {
      limit: this.#limit,
      limitSource: reading?.limit === undefined ? 'machine' : `cgroup v${reading.version}`,
      used: reading?.limit === undefined ? process.memoryUsage.rss() : reading.used,
      heap: { limit, used },
      buffers: this.#buffers,
      shedding: this.#shedding,
    };
  }

  get #limit(): number {
    return this.#reading?.limit ?? totalmem();
  }

  /** Half of what is left beside the program: the other half is the heap's, for the objects around the buffers. */
  get #buffers(): number {
    const limit = this.#reading?.limit ?? unlimited;
    return Math.floor(Math.max(limit - program, limit / 4) / 2);
  }

  /** @param exactFrom part of the limit below which nobody needs to know how much is used. */
  #look(exactFrom = shedUntil): void {
    this.#readAt = performance.now();
    // Read again each time: a Pod can be resized while it runs.
    this.#reading = this.#options.read(exactFrom);
    const { limit, used = 0 } = this.#reading ?? {};
    const shedding = limit !== undefined && used > limit * (this.#shedding ? shedUntil : shedAbove);
    if (shedding === this.#shedding) return;
    this.#shedding = shedding;
    this.#options.changed(shedding, this.budget());
  }
}
