// What one sink has of one log.

import type { LogTruth } from './truth.ts';

export class Progress {
  readonly log: LogTruth;
  /** By record, which arrival had it last; 0 for none. */
  readonly last: number[] = [];
  /** All records before this one have arrived. */
  next = 0;
  /** The one that arrived last. */
  at = -1;
  /** By generation, the last record of it that has arrived for the first time. */
  readonly highest: number[] = [];
  /** By generation, which record of it has arrived first, in which run and when. */
  readonly begun: ({ readonly at: number; readonly run: number; readonly time: number } | undefined)[] = [];
  /** Halves that have arrived, by record. */
  readonly halves = new Map<number, number>();

  constructor(log: LogTruth) {
    this.log = log;
  }

  /** How far the records from some on have arrived without a gap. */
  readonly #reached = new Map<number, number>();

  advance(): void {
    while (this.#has(this.next)) this.next++;
  }

  #has(at: number): boolean {
    return this.last[at] !== undefined || (this.halves.get(at) === 1 && this.log.torn.has(at));
  }

  /** Where, in all that was ever written, those end that have arrived without a gap from one record on. */
  reachedFrom(first: number): number {
    let next = this.#reached.get(first) ?? first;
    // An empty line that came alone does not say which it is: whether it has arrived shows in the end.
    while (this.#has(next) || this.log.empty.has(next)) next++;
    this.#reached.set(first, next);
    return next === 0 ? 0 : this.log.ends[next - 1]!;
  }
}

/** Such as `5 (10-12, 17-18; the first: torn, halves 1)`. */
export function gapsOf({ next, last, log, halves }: Progress): string {
  const gaps: string[] = [];
  let count = 0;
  for (let at = next; at < log.complete; at++) {
    if (last[at]) continue;
    const first = at;
    while (at + 1 < log.complete && !last[at + 1]) at++;
    count += at - first + 1;
    if (gaps.length < 8) gaps.push(`${first}-${at}`);
  }
  const first = [log.empty.has(next) && 'empty', log.torn.has(next) && 'torn', `halves ${halves.get(next) ?? 0}`];
  return `${count} (${gaps.join(', ')}; the first: ${first.filter(Boolean).join(', ')})`;
}

/** Such as `generation 3, copied, has 5 records from 12 on (2 arrived, 1 empty, 0 torn, 1 came in halves)`. */
export function contentOf({ log, last, halves }: Progress, generation: number): string {
  const first = log.generations[generation]!;
  const end = log.generations[generation + 1] ?? log.complete;
  const records = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  const count = (is: (at: number) => boolean) => records.filter(is).length;
  const kinds = [
    `${count((at) => Boolean(last[at]))} arrived`,
    `${count((at) => log.empty.has(at))} empty`,
    `${count((at) => log.torn.has(at))} torn`,
    `${count((at) => halves.has(at))} came in halves`,
  ];
  const way = log.copied.has(generation) ? ', copied' : log.generations.length > generation + 1 ? ', renamed' : '';
  return `generation ${generation}${way}, has ${records.length} records from ${first} on (${kinds.join(', ')})`;
}

const openings = [/^(\d+):(\d+):/, /^\{"f":(\d+),"n":(\d+),/];

/** Which line it is, as it says at its beginning. */
export function numbersIn(bytes: Buffer): { file: number; n: number } | undefined {
  const text = bytes.toString('latin1', 0, 40);
  for (const opening of openings) {
    const [, file, n] = opening.exec(text) ?? [];
    if (file !== undefined) return { file: Number(file), n: Number(n) };
  }
  return undefined;
}
