// Settled lines with numbers, and what of them is in the files of a queue, read another way than the queue does.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chunk } from '../../src/source/source.ts';
import { decodeFrame, frameLength, headerLength, kinds, magic } from '../../src/spool/frame-format.ts';
import type { QueueReader } from '../../src/spool/reader.ts';
import { Spool, type SpoolOptions } from '../../src/spool/spool.ts';

export const line = (id: number, { level = 9, padding = 0 } = {}): string =>
  `1700000000.000000000 ${level} "app" {"log":"line ${id}${'.'.repeat(padding)}"}\n`;

export const lines = (from: number, to: number, options = {}): Buffer =>
  Buffer.from(Array.from({ length: to - from + 1 }, (_, index) => line(from + index, options)).join(''));

/** Numbers of the lines, which have to be whole; what the queue says itself counts as 0. */
export function idsIn(bytes: Buffer): number[] {
  const text = bytes.toString();
  if (text !== '' && !text.endsWith('\n')) throw new Error(`No whole lines: ${text.slice(-80)}`);
  return text
    .split('\n')
    .slice(0, -1)
    .map((each) => {
      const id = /^1700000000\.000000000 \d+ "app" \{"log":"line (\d+)\.*"\}$/.exec(each)?.[1];
      if (id === undefined && !each.includes('"dropped_records"')) throw new Error(`Never put: ${each}`);
      return Number(id ?? 0);
    });
}

export const openQueue = (directory: string, options: Partial<SpoolOptions> = {}): Promise<Spool> =>
  Spool.open({ directory, sinks: ['a'], limit: 0x4000000, sync: 'never', ...options });

/** The first bytes of a chunk were delivered, by default all. */
export const acknowledge = (chunk: Chunk, length = chunk.bytes.length): void =>
  chunk.acknowledgement(length)({ delivered: length, dead: 0, dropped: {} });

/** All there is for the reader at present, acknowledged. */
export async function drain(reader: QueueReader): Promise<number[]> {
  const ids: number[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    ids.push(...idsIn(chunk.bytes));
    chunk.take(chunk.bytes.length);
    acknowledge(chunk);
    chunk.release();
  }
  return ids;
}

export const segmentsOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(directory, name));

/** What is whole in the files. */
export function wholeIn(directory: string): Set<number> {
  const ids = new Set<number>();
  for (const path of segmentsOf(directory)) {
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
      if (at + headerLength > bytes.length) break;
      const length = frameLength(bytes, at);
      if (length === undefined || at + length > bytes.length) continue;
      const frame = decodeFrame(bytes, at, undefined);
      if (frame?.kind === kinds.lines) for (const id of idsIn(bytes.subarray(frame.start, frame.end))) ids.add(id);
    }
  }
  return ids;
}

export function expectBalance(spool: Spool, sink: string): void {
  const account = spool.account(sink)!;
  const { total, read, unread, delivered, buffered, dead, dropped, skipped } = account;
  const sum = delivered + buffered + dead + skipped + Object.values(dropped).reduce((all, each) => all + each, 0);
  if (sum !== read) throw new Error(`${sum} is not ${read}: ${JSON.stringify(account)}`);
  if (read + unread !== total) throw new Error(`${read + unread} is not ${total}: ${JSON.stringify(account)}`);
}
