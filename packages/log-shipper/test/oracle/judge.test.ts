// The judge is right about what is hardest to judge: empty lines that do not say whose they are.

import { appendFileSync } from 'node:fs';
import { scratch } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { type Entry, journalOf } from './journal.ts';
import { Judge } from './judge.ts';
import { lineOf, type Script } from './lines.ts';
import { Truth } from './truth.ts';

const script: Script = { seed: 1, limit: 16_384 };

/** The number of the first empty line of a file from some line on. */
function emptyFrom(file: number, from: number): number {
  for (let n = from; ; n++) if (lineOf(script, file, n).length === 0) return n;
}

async function judged(work: (judge: Judge, arrive: (...lines: (readonly [number, number])[]) => void) => void) {
  await using directory = await scratch();
  const truth = new Truth(script, { paths: ['/a.log', '/b.log', '/c.log'], directory: directory.path });
  for (const file of [0, 1, 2]) {
    const entries: Entry[] = [
      { did: 'open', inode: String(file) },
      { did: 'write', from: 0, count: 100, halved: false },
      { did: 'written', bytes: 0 },
    ];
    for (const entry of entries) appendFileSync(journalOf(directory.path, file), `${JSON.stringify(entry)}\n`);
  }
  truth.update();
  const judge = new Judge('stdout', truth, script);
  work(judge, (...lines) =>
    judge.take({ run: 0, at: 0, records: lines.map(([file, n]) => ({ line: lineOf(script, file, n) })) }),
  );
  return judge;
}

const upTo = (file: number, from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => [file, from + index] as const);

test('an empty line that came alone, where one of another file was due, is not missed', async () => {
  const [ours, others] = [emptyFrom(0, 1), emptyFrom(1, 1)];
  const judge = await judged((_, arrive) => {
    arrive(...upTo(0, 0, ours), ...upTo(1, 0, others));
    arrive([0, ours]);
    arrive(...upTo(2, 0, 100), ...upTo(1, others, 100), ...upTo(0, ours + 1, 100));
  });
  expect(judge.missing()).toEqual([]);
  expect(judge.wrongs).toEqual([]);
});

test('an empty line that never came is missed', async () => {
  const [ours, others] = [emptyFrom(0, 1), emptyFrom(1, 1)];
  const judge = await judged((_, arrive) => {
    arrive(...upTo(0, 0, ours), ...upTo(1, 0, others));
    arrive(...upTo(2, 0, 100), ...upTo(1, others, 100), ...upTo(0, ours + 1, 100));
  });
  expect(judge.missing()).toEqual([expect.stringContaining(`(${ours}-${ours}; the first: empty`)]);
});
