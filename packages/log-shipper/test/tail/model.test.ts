// Random histories of an application that writes and rotates, of polls, reads and crashes: whatever happens in whatever
// order, each line is read, after those that were written before it, and without a crash it is read once.

import { appendFile, copyFile, rename, truncate } from 'node:fs/promises';
import { type Scratch, scratch } from '@outrigger/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Positions } from '../../src/checkpoint.ts';
import { frame } from '../../src/frame.ts';
import { readChunks } from '../../src/tail/reader.ts';
import { linesIn } from '../chunk.ts';
import { follow, unknown } from './follow.ts';

/** The application: numbers its lines and rotates its file. */
class Application {
  written = 0;
  #generations = 0;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async write(count: number): Promise<void> {
    const lines = Array.from({ length: count }, () => `line ${++this.written}\n`);
    await appendFile(this.#path, lines.join(''));
  }

  async #shift(): Promise<void> {
    for (let older = this.#generations; older >= 1; older--)
      await rename(`${this.#path}.${older}`, `${this.#path}.${older + 1}`);
    this.#generations++;
  }

  async rotate(): Promise<void> {
    await this.write(1);
    await this.#shift();
    await rename(this.#path, `${this.#path}.1`);
  }

  async copytruncate(): Promise<void> {
    await this.#shift();
    await copyFile(this.#path, `${this.#path}.1`);
    await truncate(this.#path);
  }
}

const sinks = ['fast', 'slow'] as const;
type Sink = (typeof sinks)[number];
type LinesOf = Record<Sink, string[]>;

/** A tailer with two sinks, moved by hand. */
class Follower {
  readonly lines: LinesOf;
  readonly #following: ReturnType<typeof follow>;

  constructor(path: string, kept: Positions, lines: LinesOf) {
    this.lines = lines;
    this.#following = follow({ paths: [path], sinks, kept });
  }

  poll = async (): Promise<void> => {
    await this.#following.tailer.poll();
  };

  /** Reads until there is nothing more at present. */
  async read(sink: Sink, { acknowledge = true } = {}): Promise<void> {
    const { tailer, troubles } = this.#following;
    const now = {
      listen: tailer.listen.bind(tailer),
      left: tailer.left.bind(tailer),
      // Ends instead of waiting for the next poll.
      ended: true,
      isWhole: () => false,
      rewritten: tailer.rewritten.bind(tailer),
    };
    for await (const chunk of readChunks(sink, { tailer: now, troubles, window: 64 })) {
      const lines = frame(chunk, { limit: 32 });
      this.lines[sink].push(...linesIn(lines).map(String));
      const delivered = chunk.acknowledgement(lines.length);
      if (acknowledge) delivered({ delivered: lines.length, dead: 0, dropped: {} });
    }
  }

  /** As at the end: what is looked for only from time to time is looked for now. */
  stop = (): void => this.#following.stop();

  positions = (): Positions => structuredClone(this.#following.ledger.positions());

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#following.tailer[Symbol.asyncDispose]();
  }
}

type Step =
  | 'write'
  | 'rotate'
  | 'copytruncate'
  | 'poll'
  | `read ${Sink}`
  | 'checkpoint'
  | 'crash'
  | 'rotate while down'
  | 'copytruncate while down';

async function live(directory: Scratch, steps: readonly Step[]): Promise<{ written: number; lines: LinesOf }> {
  const path = directory.join('app.log');
  const application = new Application(path);
  const lines: LinesOf = { fast: [], slow: [] };
  let saved = unknown;
  let follower = new Follower(path, saved, lines);
  const checkpoint = () => {
    saved = follower.positions();
  };
  await follower.poll();
  checkpoint();
  const crash = async (meanwhile: () => Promise<void>) => {
    await follower[Symbol.asyncDispose]();
    await meanwhile();
    follower = new Follower(path, saved, lines);
    await follower.poll();
    checkpoint();
  };
  const seen = async () => {
    await application.write(1);
    await follower.poll();
    checkpoint();
  };
  const doing: Record<Step, () => Promise<void>> = {
    write: () => application.write(3),
    rotate: () => application.rotate(),
    // Of a file that was never looked at, nobody can know that it was truncated.
    copytruncate: async () => {
      await seen();
      await application.write(2);
      await application.copytruncate();
    },
    poll: () => follower.poll(),
    'read fast': () => follower.read('fast'),
    'read slow': () => follower.read('slow'),
    checkpoint: async () => checkpoint(),
    crash: async () => {
      await follower.read('fast', { acknowledge: false });
      await crash(async () => undefined);
    },
    'rotate while down': () =>
      crash(async () => {
        await application.write(2);
        await application.rotate();
        await application.rotate();
      }),
    'copytruncate while down': async () => {
      await seen();
      await crash(async () => {
        await application.write(2);
        await application.copytruncate();
        await application.write(2);
        await application.rotate();
      });
    },
  };
  for (const step of steps) await doing[step]();
  follower.stop();
  // Twice: a file that is truncated as it is read shows the rest in its copy.
  for (let round = 0; round < 2; round++) {
    await follower.poll();
    for (const sink of sinks) await follower.read(sink);
  }
  await follower[Symbol.asyncDispose]();
  return { written: application.written, lines };
}

const history = (...steps: Step[]) => fc.array(fc.constantFrom(...steps), { maxLength: 14 });
const all = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

// A run that fails prints its seed and the smallest history that fails.
const check = (steps: fc.Arbitrary<Step[]>, { once }: { once: boolean }) =>
  fc.assert(
    fc.asyncProperty(steps, async (each) => {
      await using directory = await scratch();
      const { written, lines } = await live(directory, each);
      for (const sink of sinks) {
        expect([...new Set(lines[sink])]).toEqual(all(written));
        if (once) expect(lines[sink].length).toBe(written);
      }
    }),
    { numRuns: 150, verbose: 1 },
  );

const normal = ['write', 'poll', 'read fast', 'read slow'] as const;
const crashes = ['checkpoint', 'crash', 'rotate while down'] as const;
const anything = [...normal, ...crashes, 'copytruncate while down', 'rotate', 'copytruncate'] as const;

test('renamed in whatever order, each line is read once', () => check(history(...normal, 'rotate'), { once: true }));

test('copied and truncated in whatever order, each line is read once', () =>
  check(history(...normal, 'copytruncate'), { once: true }));

test('with crashes and rotations while it is down, each line is read', () =>
  check(history(...normal, ...crashes, 'rotate'), { once: false }));

test('with all of it together, each line is read', () => check(history(...anything), { once: false }));
