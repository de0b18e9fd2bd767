// Reads dead letters back, file by file and line by line.

import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { parseObject } from '../records.ts';
import type { DeadLetter } from './dead-letters.ts';
import { marksOf } from './files.ts';

export type LetterFilter = {
  /** Refused at this time or later. */
  readonly since?: Date | undefined;
  /** Refused before this time. */
  readonly until?: Date | undefined;
  readonly sink?: string | undefined;
  /** Somewhere in the reason. */
  readonly reason?: string | undefined;
};

/** A line of a file: a letter, or undefined where it is none. */
export type Line = { readonly offset: number; readonly letter: DeadLetter | undefined };

const readAtOnce = 256 * 1024;

/** All whole lines. A last one without its newline may still be being written, and is counted as no letter. */
export async function* linesOf(path: string): AsyncGenerator<Line> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  let held = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readAtOnce), 0, readAtOnce);
    if (bytesRead === 0) break;
    held = held.length === 0 ? buffer.subarray(0, bytesRead) : Buffer.concat([held, buffer.subarray(0, bytesRead)]);
    for (let end = held.indexOf(0x0a); end >= 0; end = held.indexOf(0x0a)) {
      if (end > 0) yield { offset, letter: parsed(held.toString('utf8', 0, end)) };
      offset += end + 1;
      held = held.subarray(end + 1);
    }
  }
  if (held.length > 0) yield { offset, letter: undefined };
}

function parsed(line: string): DeadLetter | undefined {
  try {
    // Numbers that a double cannot hold are sent again with all their digits.
    const letter = parseObject(line) as Partial<DeadLetter>;
    const { time, sink, reason, source, record } = letter;
    const whole = typeof time === 'string' && typeof sink === 'string' && typeof reason === 'string';
    return whole && isObject(source) && isObject(record) ? (letter as DeadLetter) : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

export function matches({ time, sink, reason }: DeadLetter, filter: LetterFilter): boolean {
  const at = Date.parse(time);
  if (filter.since && !(at >= filter.since.getTime())) return false;
  if (filter.until && !(at < filter.until.getTime())) return false;
  if (filter.sink !== undefined && sink !== filter.sink) return false;
  return filter.reason === undefined || reason.includes(filter.reason);
}

/** A letter of a file that was delivered. The full stop tells a whole mark from one that was cut off. */
export const markOf = (offset: number): string => `${offset}.\n`;

/** Offsets of the letters of a file that were delivered. */
export async function marks(path: string): Promise<Set<number>> {
  try {
    const lines = (await readFile(marksOf(path), 'latin1')).split('\n');
    return new Set(lines.filter((line) => /^\d+\.$/.test(line)).map(Number));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
}
