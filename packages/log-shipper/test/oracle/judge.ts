// Compares what arrived at one sink with what was written: nothing that was never written, nothing out of order, no more
// duplicates than what was under way when somebody was killed; and in the end, nothing missing.

import { crc32 } from 'node:zlib';
import { lineOf, type Script } from './lines.ts';
import { contentOf, gapsOf, numbersIn, Progress } from './progress.ts';
import type { Arrival, Arrived } from './sink.ts';
import { type LogTruth, repaired, type Truth } from './truth.ts';

type Batch = Pick<Arrival, 'run' | 'at' | 'chunk'> & { readonly first: boolean };

/** Two batches of the largest size, in bytes. */
const inFlight = 2 * 1024 ** 2;

type Overtaken = { readonly path: string; readonly runs: readonly number[]; readonly what: string };

/** How one start of the shipper ended. */
type End = {
  /** What was acknowledged later than this may not have been written down. Milliseconds on the monotonic clock. */
  readonly unsaved: number;
};

export class Judge {
  readonly name: string;
  /** Records that had arrived before, as resends of a batch within a run and after a restart of the shipper. */
  readonly duplicates = { resent: 0, restarted: 0, most: 0, copied: 0 };
  readonly #wrongs = new Map<string, { count: number; first: string }>();
  /** Generations of a file that came after a younger one. */
  readonly overtaken: Overtaken[] = [];
  records = 0;
  readonly #truth: Truth;
  readonly #script: Script;
  readonly #progress: readonly Progress[];
  /** The first stands for none. */
  readonly #batches: Batch[] = [{ run: -1, at: 0, chunk: undefined, first: true }];
  readonly #chunks = new Set<string>();
  /** By run: which chunk came last. */
  readonly #lastChunk = new Map<number, string | undefined>();
  readonly #ends = new Map<number, End>();
  readonly #copiedOf = new Map<string, number>();
  readonly #repeatedBy = new Map<number, number>();
  /** By where they say they are from: empty lines that came last, and what came before them. */
  readonly #empties = new Map<string | undefined, Batch[]>();
  readonly #before = new Map<string | undefined, Progress>();
  /** Empty lines that neither what came before nor what came after explains. */
  #strays: Batch[] = [];

  constructor(name: string, truth: Truth, script: Script) {
    this.name = name;
    this.#truth = truth;
    this.#script = script;
    this.#progress = truth.logs.map((log) => new Progress(log));
  }

  /** How one start of the shipper has ended; what comes twice after that is measured by it. */
  ended(run: number, end: End): void {
    this.#ends.set(run, end);
  }

  take({ run, at, chunk: piece, records }: Arrival): void {
    // A batch that was not acknowledged three times is sent in pieces, as Forward has it with ids of their own.
    const chunk = piece?.split('/')[0];
    const first = chunk === undefined || !this.#chunks.has(chunk);
    if (chunk !== undefined) this.#chunks.add(chunk);
    const batch = { run, at, chunk, first };
    this.#batches.push(batch);
    this.#lastChunk.set(run, chunk);
    for (const record of records) this.#record(record, batch);
  }

  #record(record: Arrived, batch: Batch): void {
    this.records++;
    if (record.line.length === 0) {
      this.#empties.set(record.path, [...(this.#empties.get(record.path) ?? []), batch]);
      return;
    }
    const found = this.#find(record);
    if (!found) {
      const shown = JSON.stringify(String(record.line).slice(0, 160));
      this.#wrong(
        `unknown ${record.path}`,
        `has a record that was never written: ${shown} of ${record.path}, run ${batch.run}`,
      );
      return;
    }
    const { progress, at, half } = found;
    if (record.path !== undefined && record.path !== progress.log.path)
      this.#wrong(`path ${progress.log.path}`, `says ${record.path} of a line that is from ${progress.log.path}`);
    this.#settleEmpties(record.path, { progress, at });
    progress.at = at;
    this.#before.set(record.path, progress);
    if (half > 0) {
      const halves = (progress.halves.get(at) ?? 0) | half;
      progress.halves.set(at, halves);
      if (halves !== 3) return;
    }
    this.#arrived(progress, at, { batch, ordered: true });
  }

  /** An empty line says nothing of itself: those around it do. */
  #settleEmpties(path: string | undefined, next?: { progress: Progress; at: number }): void {
    const batches = this.#empties.get(path);
    if (!batches) return;
    this.#empties.delete(path);
    const before = this.#before.get(path);
    const behind = before?.log.empty.has(before.at + 1) ? before : undefined;
    const ahead = next?.progress.log.empty.has(next.at - 1) ? next : undefined;
    const same = behind !== undefined && behind === ahead?.progress && behind.at + 1 === ahead.at - 1;
    // Of nobody knows which file, between lines of others it may have come before, and been a stray.
    const ordered = path !== undefined;
    if (behind) this.#arrived(behind, behind.at + 1, { batch: batches[0]!, ordered });
    if (ahead && !same) this.#arrived(ahead.progress, ahead.at - 1, { batch: batches.at(-1)!, ordered });
    this.#strays.push(...batches.slice(Number(behind !== undefined) + Number(ahead !== undefined && !same)));
  }

  #find({ line }: Arrived): { progress: Progress; at: number; half: number } | undefined {
    const bytes = typeof line === 'string' ? Buffer.from(line) : line;
    const sum = crc32(bytes);
    const said = numbersIn(bytes);
    const progress = said && this.#progress[said.file];
    const at = said && progress?.log.firstOf[said.n];
    if (progress && at !== undefined) {
      const { raw, text } = progress.log;
      if ((typeof line === 'string' ? text : raw)[at] === sum) return { progress, at, half: 0 };
    }
    const specials = this.#truth.specials.get(sum);
    if (specials) {
      // Of several the one that comes next.
      const of = (special: { log: LogTruth }) => this.#progress[special.log.file]!;
      const special =
        specials.find((each) => each.half === 0 && each.at === of(each).at + 1) ??
        specials.find((each) => each.half === 0) ??
        specials[0]!;
      return { progress: of(special), at: special.at, half: special.half };
    }
    return said && progress && at !== undefined ? this.#beginning(bytes, { ...said, progress, at }) : undefined;
  }

  /** The beginning of a line that the shipper saw while it was being written, when it was stopped: its rest is still to come. */
  #beginning(bytes: Buffer, { file, n, progress, at }: { file: number; n: number; progress: Progress; at: number }) {
    const line = lineOf(this.#script, file, n);
    for (let cut = 1; cut < line.length; cut++) {
      const part = line.subarray(0, cut);
      if (!part.equals(bytes) && !repaired(part).equals(bytes)) continue;
      const rest = line.subarray(cut);
      for (const key of [crc32(rest), crc32(repaired(rest))])
        this.#truth.specials.set(key, [...(this.#truth.specials.get(key) ?? []), { log: progress.log, at, half: 2 }]);
      progress.log.broken++;
      return { progress, at, half: 1 };
    }
    return undefined;
  }

  #arrived(progress: Progress, at: number, { batch, ordered }: { batch: Batch; ordered: boolean }): void {
    const { last, log } = progress;
    const earlier = last[at];
    last[at] = this.#batches.length - 1;
    if (earlier) {
      // Of nobody knows which file, the earlier one may have been another's.
      if (!ordered && log.empty.has(at)) this.#strays.push(batch);
      this.#again(log, at, { earlier: this.#batches[earlier]!, batch });
      return;
    }
    if (ordered) this.#checkOrder(progress, at, batch);
    progress.advance();
  }

  #checkOrder(progress: Progress, at: number, batch: Batch): void {
    const { log, highest, begun } = progress;
    const generation = log.generationOf(at);
    const last = highest[generation] ?? -1;
    if (at < last)
      this.#wrong(
        `order ${log.path} ${batch.run}`,
        `has record ${at} of ${log.path} only after record ${last}, in run ${batch.run}`,
      );
    highest[generation] = Math.max(last, at);
    if (last !== -1) return;
    begun[generation] = { at, run: batch.run, time: batch.at };
    if (highest.length > generation + 1) this.#overtake(progress, at, batch);
  }

  #overtake(progress: Progress, at: number, { run, at: time }: Batch): void {
    const { log, begun } = progress;
    const generation = log.generationOf(at);
    const younger = begun.findIndex((each, index) => index > generation && each);
    const before = begun[younger]!;
    const what = [
      `generation ${generation} of ${log.path} after generation ${younger}, in run ${run}`,
      `${contentOf(progress, generation)}, began with record ${at}${log.empty.has(at) ? ', an empty one' : ''}`,
      `${contentOf(progress, younger)}, began with record ${before.at}, ${Math.round(time - before.time)} ms before, in run ${before.run}`,
    ];
    this.overtaken.push({ path: log.path, runs: [...new Set([before.run, run])], what: what.join('; ') });
  }

  /** What is in flight of a file while it is copied and truncated is read from the copy again. */
  #copied(log: LogTruth, at: number): void {
    this.duplicates.copied++;
    const key = `${log.path} ${log.generationOf(at)}`;
    const bytes = (this.#copiedOf.get(key) ?? 0) + log.ends[at]! - (log.ends[at - 1] ?? 0);
    this.#copiedOf.set(key, bytes);
    if (bytes > inFlight) this.#wrong(`copy ${key}`, `has ${bytes} bytes of a copy of ${key} twice`);
  }

  #again(log: LogTruth, at: number, { earlier, batch }: { earlier: Batch; batch: Batch }): void {
    const { duplicates } = this;
    if (earlier.run === batch.run) {
      // Of an empty line that came alone it is not sure which it is.
      if (log.empty.has(at)) return;
      if (batch.first && log.copied.has(log.generationOf(at))) {
        this.#copied(log, at);
        return;
      }
      duplicates.resent++;
      if (batch.first)
        this.#wrong(
          `twice ${log.path} ${batch.run}`,
          `has record ${at} of ${log.path} in two batches of run ${batch.run}`,
        );
      return;
    }
    duplicates.restarted++;
    const repeated = (this.#repeatedBy.get(batch.run) ?? 0) + 1;
    this.#repeatedBy.set(batch.run, repeated);
    duplicates.most = Math.max(duplicates.most, repeated);
    const end = this.#ends.get(earlier.run);
    // Read late from a connection of a run that has ended.
    if (batch.run < earlier.run || !end) return;
    const underWay = earlier.chunk !== undefined && earlier.chunk === this.#lastChunk.get(earlier.run);
    if (!underWay && earlier.at < end.unsaved)
      this.#wrong(
        `late ${log.path} ${batch.run}`,
        `has record ${at} of ${log.path} again in run ${batch.run}, ${Math.round(end.unsaved - earlier.at)} ms too late to be in flight at the end of run ${earlier.run}`,
      );
  }

  /** @param kind of which only the first is shown, and how many there were. */
  #wrong(kind: string, what: string): void {
    const known = this.#wrongs.get(kind);
    if (known) known.count++;
    else this.#wrongs.set(kind, { count: 1, first: what });
  }

  get wrongs(): readonly string[] {
    return [...this.#wrongs.values()].map(({ count, first }) => `${this.name} ${first} (${count} such)`);
  }

  /** Bytes of all that was written to a log that have arrived without a gap. */
  reached(file: number): number {
    const progress = this.#progress[file]!;
    this.#spendStrays(progress);
    const { next, log } = progress;
    return next === 0 ? 0 : log.ends[next - 1]!;
  }

  /** The same of what a file on disk holds, from its first record on: an older file may come later. */
  reachedFrom(file: number, first: number): number {
    return this.#progress[file]!.reachedFrom(first);
  }

  /** An empty line that came alone, from whom it did not say, is one of those that are missing. */
  #spendStrays(progress: Progress): void {
    for (const path of [...this.#empties.keys()]) this.#settleEmpties(path);
    progress.advance();
    const { log, last } = progress;
    while (progress.next < log.complete && log.empty.has(progress.next) && this.#strays.length > 0) {
      last[progress.next] = this.#batches.indexOf(this.#strays.shift()!);
      progress.advance();
    }
  }

  /** What was written to its end and is not there. */
  missing(): string[] {
    for (const progress of this.#progress) this.#spendStrays(progress);
    return this.#progress
      .filter(({ next, log }) => next < log.complete)
      .map(
        (progress) =>
          `${this.name} lacks ${gapsOf(progress)} of ${progress.log.complete} records of ${progress.log.path}`,
      );
  }

  /** Some come again, and a line that was shipped before its end leaves one; no others. */
  checkStrays(): void {
    const { resent, restarted } = this.duplicates;
    const broken = this.#progress.reduce((sum, { log }) => sum + log.broken, 0);
    const { length } = this.#strays;
    if (length > 4 * broken + (resent + restarted) / 5)
      this.#wrong('strays', `has ${length} empty records that were never written`);
  }
}
