// `log-shipper replay`: dead letters are sent again. What was delivered is marked after each batch, so that a replay that
// is killed and started again repeats one batch at most; files with nothing left in them are removed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseDuration } from '@outrigger/core';
import { lockDirectory } from '../lock.ts';
import type { DeadLetter } from './dead-letters.ts';
import { append, deadFiles, directoryName, marksOf, removeFile } from './files.ts';
import { type LetterFilter, linesOf, markOf, marks, matches } from './letters.ts';

/** Resolves when the letters are delivered. What it throws ends the replay, and they stay. */
export type Redeliver = (letters: readonly DeadLetter[]) => Promise<void>;

export type ReplayOptions = {
  readonly stateDirectory: string;
  readonly filter: LetterFilter;
  /** How many letters are delivered at once. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
};

export type Replayed = {
  readonly delivered: number;
  /** Letters that do not match and were not delivered before. */
  readonly left: number;
  /** Lines that are no letters. They stay where they are. */
  readonly unreadable: number;
};

/** Throws when another replay is under way. */
export async function replay(
  { stateDirectory, filter, batch = 500, signal }: ReplayOptions,
  redeliver: Redeliver,
): Promise<Replayed> {
  const directory = join(stateDirectory, directoryName);
  const total = { delivered: 0, left: 0, unreadable: 0 };
  if (!existsSync(directory)) return total;
  using _lock = lockDirectory(directory);
  const files = await deadFiles(directory);
  for (const { path } of files) {
    const { delivered, left, unreadable } = await replayFile(path, { filter, batch, signal, redeliver });
    total.delivered += delivered;
    total.left += left;
    total.unreadable += unreadable;
    // Into the newest one, letters are still being put.
    if (left + unreadable === 0 && path !== files.at(-1)?.path) await removeFile(path);
  }
  return total;
}

type FileOptions = {
  readonly filter: LetterFilter;
  readonly batch: number;
  readonly signal: AbortSignal | undefined;
  readonly redeliver: Redeliver;
};

async function replayFile(path: string, { filter, batch, signal, redeliver }: FileOptions): Promise<Replayed> {
  const done = await marks(path);
  const found = { delivered: 0, left: 0, unreadable: 0 };
  let letters: DeadLetter[] = [];
  let offsets: number[] = [];
  const flush = async () => {
    if (letters.length === 0) return;
    signal?.throwIfAborted();
    await redeliver(letters);
    await append(marksOf(path), Buffer.from(offsets.map(markOf).join('')));
    found.delivered += letters.length;
    letters = [];
    offsets = [];
  };
  for await (const { offset, letter } of linesOf(path)) {
    if (!letter) found.unreadable++;
    else if (done.has(offset)) continue;
    else if (!matches(letter, filter)) found.left++;
    else {
      letters.push(letter);
      offsets.push(offset);
      if (letters.length >= batch) await flush();
    }
  }
  await flush();
  return found;
}

const momentExpected = 'a time such as 2026-11-21T08:00:00Z, or a duration such as 2h for so long ago, is expected';

/** A date, or a duration before now. */
export function momentOf(written: string | undefined, now = Date.now()): Date | undefined {
  if (written === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\d([T ]|$)/.test(written) && !Number.isNaN(Date.parse(written))) return new Date(written);
  try {
    return new Date(now - parseDuration(written));
  } catch (error) {
    throw new Error(momentExpected, { cause: error });
  }
}
