// Random histories of putting, reading, acknowledging, crashing, and of what happens to files: whatever is in the files
// whole is read, once unless it was not acknowledged at a crash, and what is not whole is never read.

import { closeSync, cpSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { scratch } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Chunk } from '../../src/source/source.ts';
import type { QueueReader } from '../../src/spool/reader.ts';
import type { Positions } from '../../src/spool/segment.ts';
import type { Spool, SpoolEvent } from '../../src/spool/spool.ts';
import { acknowledge, expectBalance, idsIn, line, openQueue, segmentsOf, wholeIn } from './queue.ts';

const sinks = ['a', 'b'] as const;
type Sink = (typeof sinks)[number];

type Settings = { readonly policy: 'block' | 'drop-oldest' | 'drop-by-level'; readonly limit: number };

/** What one sink has had. */
class Had {
  reader: QueueReader;
  open: { chunk: Chunk; ids: number[] }[] = [];
  /** In the order they came. */
  ids: number[] = [];
  acknowledged = new Set<number>();
  saved = new Set<number>();
  /** May come once more. */
  again = new Set<number>();

  constructor(reader: QueueReader) {
    this.reader = reader;
  }
}

class World {
  readonly had = {} as Record<Sink, Had>;
  readonly settings: Settings;
  #base: string;
  #generation = 0;
  spool!: Spool;
  positions: Positions = {};
  /** Called safe. */
  readonly safe = new Map<number, { level: number }>();
  /** Once safe, and no longer whole in any file: gone with the damage, or read by all. */
  damaged = new Set<number>();
  dropped = 0;
  next = 1;

  constructor(base: string, settings: Settings) {
    this.#base = base;
    this.settings = settings;
  }

  get directory(): string {
    return `${this.#base}/${this.#generation}`;
  }

  async start(): Promise<void> {
    const { policy, limit } = this.settings;
    this.spool = await openQueue(this.directory, {
      sinks,
      policy,
      limit,
      level: 9,
      segmentSize: 600,
      positions: this.positions,
      tell: (event: SpoolEvent) => {
        if (event.what === 'dropped') this.dropped += event.records;
      },
    });
    for (const sink of sinks) {
      const reader = this.spool.reader(sink);
      this.had[sink] ??= new Had(reader);
      const had = this.had[sink];
      had.reader = reader;
      had.open = [];
      for (const id of had.ids) if (!had.saved.has(id)) had.again.add(id);
      had.acknowledged = new Set(had.saved);
    }
  }

  async put(count: number, level: number): Promise<void> {
    const ids = Array.from({ length: count }, () => this.next++);
    const put = await this.spool.put(Buffer.from(ids.map((id) => line(id, { level, padding: id % 40 })).join('')));
    if (put === 'safe') for (const id of ids) this.safe.set(id, { level });
    else expect(this.settings.policy).toBe('block');
  }

  async read(sink: Sink): Promise<boolean> {
    const had = this.had[sink];
    const chunk = await had.reader.next();
    if (!chunk) return false;
    const ids = idsIn(chunk.bytes).filter((id) => id > 0);
    chunk.take(chunk.bytes.length);
    const seen = new Set(had.ids);
    // Never twice, but for what was not acknowledged at a crash.
    for (const id of ids) expect([id, seen.has(id) && !had.again.delete(id)]).toEqual([id, false]);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    had.ids.push(...ids);
    had.open.push({ chunk, ids });
    return true;
  }

  acknowledge(sink: Sink): void {
    const had = this.had[sink];
    const first = had.open.shift();
    if (!first) return;
    acknowledge(first.chunk);
    first.chunk.release();
    for (const id of first.ids) had.acknowledged.add(id);
  }

  save(): void {
    this.positions = JSON.parse(JSON.stringify(this.spool.positions()));
    for (const sink of sinks) this.had[sink].saved = new Set(this.had[sink].acknowledged);
  }

  /** What is in the files at this moment is all that the next start has. */
  async crash(meanwhile: () => void): Promise<void> {
    const before = this.spool;
    const from = this.directory;
    this.#generation++;
    try {
      cpSync(from, this.directory, { recursive: true });
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOENT');
    }
    for (const sink of sinks) await this.had[sink].reader[Symbol.asyncDispose]();
    await before[Symbol.asyncDispose]();
    rmSync(from, { recursive: true, force: true });
    this.tamper(meanwhile);
    await this.start();
  }

  tamper(change: () => void): void {
    const before = this.#whole();
    change();
    const after = this.#whole();
    for (const id of before) if (!after.has(id)) this.damaged.add(id);
  }

  #whole(): Set<number> {
    try {
      return wholeIn(this.directory);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOENT');
      return new Set();
    }
  }

  segment(at: number): string | undefined {
    const paths = this.#whole().size > 0 ? segmentsOf(this.directory) : [];
    return paths[at % (paths.length || 1)];
  }

  async end(): Promise<void> {
    await this.spool.end();
    for (const sink of sinks) {
      const had = this.had[sink];
      while (await this.read(sink));
      await had.reader[Symbol.asyncDispose]();
      expectBalance(this.spool, sink);
      const seen = new Set(had.ids);
      const missing = [...this.safe].filter(([id]) => !seen.has(id) && !this.damaged.has(id));
      const { policy } = this.settings;
      if (policy === 'block') expect(missing).toEqual([]);
      // What the queue counts is what the slowest sink has to do without.
      else expect(missing.length).toBeLessThanOrEqual(this.dropped);
    }
  }
}

type Model = Record<string, never>;
const command = (name: string, run: (world: World) => unknown): fc.AsyncCommand<Model, World> => ({
  check: () => true,
  run: async (_, world) => {
    await run(world);
    for (const sink of sinks) expectBalance(world.spool, sink);
  },
  toString: () => name,
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  if (bytes.length === 0) return;
  const position = at % bytes.length;
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.of(bytes[position]! ^ (1 << (at % 8))), 0, 1, position);
  closeSync(file);
}

const place = fc.nat(100_000);
const normal = [
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(5, 9, 17))
    .map(([count, level]) => command(`put ${count} of level ${level}`, (world) => world.put(count, level))),
  fc.constantFrom(...sinks).map((sink) => command(`read ${sink}`, (world) => world.read(sink))),
  fc.constantFrom(...sinks).map((sink) => command(`acknowledge ${sink}`, (world) => world.acknowledge(sink))),
  fc.constant(command('save', (world) => world.save())),
  fc.constant(command('crash', (world) => world.crash(() => undefined))),
  fc.constant(
    command('fill up', async (world) => {
      for (let round = 0; round < 8; round++) await world.put(5, 9);
    }),
  ),
];
const damage = [
  fc.tuple(place, place).map(([which, cut]) =>
    command(`crash and truncate ${which} by ${cut}`, (world) =>
      world.crash(() => {
        const path = world.segment(which);
        if (path) truncateSync(path, Math.max(0, statSync(path).size - (cut % 300)));
      }),
    ),
  ),
  fc.tuple(place, place).map(([which, at]) =>
    command(`crash and flip ${which} at ${at}`, (world) =>
      world.crash(() => {
        const path = world.segment(which);
        if (path) flip(path, at);
      }),
    ),
  ),
  fc.tuple(place, place).map(([which, at]) =>
    command(`flip ${which} at ${at} while open`, (world) =>
      world.tamper(() => {
        const path = world.segment(which);
        if (path) flip(path, at);
      }),
    ),
  ),
  place.map((which) =>
    command(`crash and delete ${which}`, (world) =>
      world.crash(() => {
        const path = world.segment(which);
        if (path) rmSync(path);
      }),
    ),
  ),
];

// A run that fails prints its seed and the smallest history that fails.
const check = (settings: Settings, commands: fc.Arbitrary<fc.AsyncCommand<Model, World>>[]) =>
  fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (history) => {
      await using directory = await scratch();
      const world = new World(directory.path, settings);
      await world.start();
      await fc.asyncModelRun(() => ({ model: {}, real: world }), history);
      await world.end();
    }),
    { numRuns: 100, verbose: 1 },
  );

test('with crashes, each line is read by each sink, once unless it was not acknowledged', () =>
  check({ policy: 'block', limit: 100_000 }, normal));

test('where putters are told that it is full, nothing that was taken is lost', () =>
  check({ policy: 'block', limit: 3000 }, normal));

test('torn, flipped and deleted in whatever order, what is whole is read and nothing else', () =>
  check({ policy: 'block', limit: 100_000 }, [...normal, ...damage]));

test('where the oldest goes, it is counted', () => check({ policy: 'drop-oldest', limit: 3000 }, normal));

test('where low levels go first, they are counted', () => check({ policy: 'drop-by-level', limit: 3000 }, normal));

test('with all of it together, every byte is accounted for', () =>
  check({ policy: 'drop-by-level', limit: 3000 }, [...normal, ...damage]));
