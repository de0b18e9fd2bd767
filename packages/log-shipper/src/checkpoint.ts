// The last stage: what every sink has acknowledged is written to the state directory, and read back at the next start.

import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, type Parameters, publishFile, reasonOf } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { errors } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { metrics } from './metrics.ts';
import { dropReasons } from './records.ts';

// Inodes and nanoseconds go beyond what a JSON number holds.
const digits = z.string().check(z.regex(/^\d{1,20}$/));
const offset = z.int().check(z.minimum(0));
const place = z.object({ offset, print: z.string() });
const settled = z.object({
  delivered: z.optional(offset),
  dead: z.optional(offset),
  dropped: z.optional(z.partialRecord(z.enum(dropReasons), offset)),
});

const positions = z.object({
  version: z.literal(1),
  instance: z.optional(z.string()),
  /** Of each sink in the disk queue. */
  queue: z.optional(z.record(z.string(), z.object({ segment: z.int(), origin: z.string(), offset }))),
  since: digits,
  files: z.array(
    z.object({
      path: z.string(),
      device: digits,
      inode: digits,
      born: digits,
      modified: digits,
      size: offset,
      head: place,
      target: z.optional(z.string()),
      /** Unless with the file. */
      begun: z.optional(digits),
      rewinds: z.optional(z.int().check(z.minimum(0))),
      origin: z.optional(z.string()),
      sinks: z.record(z.string(), z.extend(place, settled.shape)),
    }),
  ),
  youngest: z.array(z.object({ path: z.string(), device: digits, inode: digits, born: digits, modified: digits })),
});

/** What the state file holds. A later format gets a later version. */
export type Positions = z.infer<typeof positions>;

export const stateName = 'positions.json';

// Losing the last moments costs duplicates, not lines: often enough to keep them few, seldom enough to cost nothing.
const period = 250;

// With thousands of files a write takes its time; of all time, it may take one part in so many.
const restAfterSave = 10;

type Surroundings = Pick<Context<Parameters, typeof metrics>, 'log' | 'metrics'>;

/** What an earlier run left. A file that makes no sense is kept aside: starting anew repeats lines, refusing to start loses them. */
export async function readPositions(directory: string, { log }: Surroundings): Promise<Positions> {
  const path = join(directory, stateName);
  const found = await readState(path);
  // The clock of files ticks more coarsely than the one that is read here.
  if (found === undefined) return emptySince(BigInt(Date.now() - 20) * 1_000_000n);
  try {
    if (found instanceof Error) throw found;
    return parsePositions(JSON.parse(found));
  } catch (error) {
    const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
    await rename(path, aside);
    log.error(errors.LOG_SHIPPER_STATE_CORRUPT({ path, aside, reason: reasonOf(error) }));
    return emptySince(0n);
  }
}

const emptySince = (since: bigint): Positions => ({ version: 1, since: String(since), files: [], youngest: [] });

function parsePositions(content: unknown): Positions {
  const { success, data, error } = positions.safeParse(content);
  if (success) return data;
  throw new Error(error.issues.map(({ path, message }) => `${path.join('.') || 'content'}: ${message}`).join(', '));
}

/** Undefined when there is none, an Error when what is there is no file. Throws when it may be good and cannot be read. */
async function readState(path: string): Promise<string | Error | undefined> {
  try {
    // A symlink is not followed: whoever may write here must not make us read, or report, something else.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    if (!(await file.stat()).isFile()) return new Error('not a regular file');
    return await file.readFile('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') return new Error('a symbolic link');
    throw error;
  }
}

export class Checkpoint implements AsyncDisposable {
  readonly path: string;
  readonly #ledger: Ledger;
  readonly #surroundings: Surroundings;
  #saving = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #saved = -1;
  #took = 0;
  #savedAt: Date | undefined;
  #trouble: string | undefined;

  constructor(directory: string, ledger: Ledger, surroundings: Surroundings) {
    this.path = join(directory, stateName);
    this.#ledger = ledger;
    this.#surroundings = surroundings;
    ledger.onChange(() => this.#saveSoon());
  }

  /** Why the state cannot be written at present. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get savedAt(): Date | undefined {
    return this.#savedAt;
  }

  /** Makes sure that what is followed now is known to the next start. */
  save(): Promise<void> {
    // One after the other: an older state must not replace a younger one.
    this.#saving = this.#saving.then(() => this.#saveChanges());
    return this.#saving;
  }

  /** One write for all changes of a period, and no timer while there are none. */
  #saveSoon(): void {
    if (this.#timer || this.#ended) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.save();
      },
      Math.max(period, restAfterSave * this.#took),
    );
  }

  /** A write that fails is tried again with the next period: shipping goes on meanwhile. */
  async #saveChanges(): Promise<void> {
    const { revision } = this.#ledger;
    if (revision === this.#saved) return;
    const { log, metrics } = this.#surroundings;
    try {
      const begun = performance.now();
      const content = JSON.stringify(this.#ledger.positions());
      // What it costs, not how long a disk lets it wait.
      this.#took = performance.now() - begun;
      await publishFile(this.path, content, { mode: 0o600 });
      this.#saved = revision;
      this.#savedAt = new Date();
      metrics.checkpoints.inc({ result: 'written' });
      if (this.#trouble !== undefined) log.info('State file is written again', { path: this.path });
      this.#trouble = undefined;
    } catch (error) {
      metrics.checkpoints.inc({ result: 'failed' });
      // Said once, not four times a second; the whole message names a temporary file, which is another each time.
      const reason = (error as Error).message.replace(/, \w+ '.*$/, '');
      if (reason !== this.#trouble) log.error(errors.LOG_SHIPPER_STATE_UNWRITABLE({ path: this.path, reason }));
      this.#trouble = reason;
      this.#saveSoon();
    }
  }

  /** After the sinks: what they acknowledged last is written too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.save();
  }
}
