// Records that a sink refuses for good, with the reason, as NDJSON that people and `log-shipper replay` read. They are on
// the disk before the batch they were part of is acknowledged.

import { join } from 'node:path';
import { formatSize } from '@outrigger/core';
import type { Provenance } from '../batch.ts';
import type { Fields } from '../records.ts';
import {
  append,
  type DeadFile,
  deadFiles,
  directoryName,
  makeDirectory,
  marksOf,
  pathOf,
  removeFile,
  syncDirectory,
} from './files.ts';

/** As a line has it. */
export type DeadLetter = {
  /** When the record was refused. */
  readonly time: string;
  readonly sink: string;
  readonly reason: string;
  readonly source: Omit<Provenance, 'fields'>;
  readonly record: Fields;
};

/** A record and why it is refused. */
export type Refused = Provenance & { readonly sink: string; readonly reason: string };

export type DeadLettersOptions = {
  readonly stateDirectory: string;
  /** In bytes, of all files together. */
  readonly limit: number;
  /** At the limit: the sink waits until somebody has made room, or the oldest letters go. */
  readonly whenFull: 'block' | 'drop-oldest';
  /** Told of each file that had to go. */
  readonly dropped?: (file: { readonly path: string; readonly bytes: number }) => void;
};

type Waiting = { readonly lines: Buffer; resolve(): void; reject(error: unknown): void };

/** How many files the limit is spread over: only whole files are removed, and the one that is written to never. */
const filesAtLimit = 4;

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #directory: string;
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    this.#directory = join(options.stateDirectory, directoryName);
  }

  /** Resolves when they are on the disk; rejects when they cannot be put there now, and none of them are. */
  put(letters: readonly Refused[]): Promise<void> {
    const time = new Date().toISOString();
    const lines = Buffer.from(letters.map((letter) => `${JSON.stringify(letterOf(letter, time))}\n`).join(''));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ lines, resolve, reject });
    if (!this.#writing) this.#write();
    return promise;
  }

  /** What all sinks have put meanwhile goes to the disk at once. */
  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      try {
        await this.#append(Buffer.concat(group.map(({ lines }) => lines)));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = false;
  }

  async #append(lines: Buffer): Promise<void> {
    await makeDirectory(this.#directory);
    const files = await deadFiles(this.#directory);
    const path = await this.#target(files.at(-1));
    const others = files.filter((file) => file.path !== path);
    const kept = files.reduce((bytes, file) => bytes + file.bytes, 0);
    await this.#makeRoom(others, { kept, needed: lines.length });
    await append(path, lines);
  }

  /** The file to write to: it is there, and the newest, before there is room in it. A replay removes all others. */
  async #target(newest: DeadFile | undefined): Promise<string> {
    const today = new Date().toISOString().slice(0, 10);
    // The clock may have gone back.
    const [date, number] = newest && newest.date >= today ? [newest.date, newest.number] : [today, -1];
    const full = newest && newest.bytes >= this.#options.limit / filesAtLimit;
    if (number >= 0 && !full) return pathOf(this.#directory, date, number);
    const path = pathOf(this.#directory, date, number + 1);
    // Marks of a file of that name that somebody has removed.
    await removeFile(marksOf(path));
    await append(path, Buffer.alloc(0));
    await syncDirectory(this.#directory);
    return path;
  }

  async #makeRoom(
    others: readonly DeadFile[],
    { kept, needed }: { readonly kept: number; readonly needed: number },
  ): Promise<void> {
    const { limit, whenFull, dropped } = this.#options;
    let left = kept;
    if (whenFull === 'block') {
      // What is larger than the limit by itself would never find room.
      if (kept === 0 || kept + needed <= limit) return;
      throw new Error(`dead letters take ${formatSize(kept)} of ${formatSize(limit)}: replay or remove some`);
    }
    for (const { path, bytes } of others) {
      if (left + needed <= limit) return;
      await removeFile(path);
      left -= bytes;
      dropped?.({ path, bytes });
    }
  }
}

const letterOf = ({ sink, reason, fields, ...source }: Refused, time: string): DeadLetter => ({
  time,
  sink,
  reason,
  source,
  record: fields,
});
