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
  /** Halves that have arrived, by record. */
  readonly halves = new Map<number, number>();

  constructor(log: LogTruth) {
    this.log = log;
  }

  advance(): void {
    while (this.last[this.next]) this.next++;
  }
}

/** Such as `5 (10-12, 17-18)`. */
export function gapsOf({ next, last, log }: Progress): string {
  const gaps: string[] = [];
  let count = 0;
  for (let at = next; at < log.complete; at++) {
    if (last[at]) continue;
    const first = at;
    while (at + 1 < log.complete && !last[at + 1]) at++;
    count += at - first + 1;
    if (gaps.length < 8) gaps.push(`${first}-${at}`);
  }
  return `${count} (${gaps.join(', ')})`;
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
