// What an earlier run left, in whatever state: read as far as it can be, never refused.

import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '@outrigger/core';
import { encodeHeader, headerLength, kinds } from './frame-format.ts';
import { FrameReader, walk } from './frame-reader.ts';
import type { Quarantine } from './quarantine.ts';
import { Segment, segmentNumber } from './segment.ts';

type Recovery = { readonly quarantine: Quarantine; readonly unreadable: (path: string, reason: string) => void };

/** The segments that there are, oldest first, and the last number that is taken, by whatever. */
export async function recover(directory: string, recovery: Recovery): Promise<{ segments: Segment[]; last: number }> {
  const segments: Segment[] = [];
  let last = 0;
  for (const name of (await names(directory)).sort()) {
    const path = join(directory, name);
    // Half of what a crash interrupted; the whole is still there under its own name.
    if (name.endsWith('.tmp')) await rm(path, { force: true });
    const number = segmentNumber(name);
    if (number === undefined) continue;
    last = number;
    try {
      const segment = await inspect(directory, { number, path }, recovery);
      if (segment) segments.push(segment);
    } catch (error) {
      recovery.unreadable(path, reasonOf(error));
    }
  }
  reportMissing(directory, segments, recovery.quarantine);
  return { segments, last };
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Segments go oldest first: one that is missing in between was taken by somebody else. */
function reportMissing(directory: string, segments: readonly Segment[], quarantine: Quarantine): void {
  segments.forEach((segment, index) => {
    const before = segments[index - 1];
    for (let number = before ? before.number + 1 : segment.number; number < segment.number; number++) {
      const { path } = new Segment(directory, number, segment.origin);
      quarantine.report({ path, position: 0, bytes: 0, reason: 'missing' });
    }
  });
}

type Place = { readonly number: number; readonly path: string };

/** Undefined when nothing of it can be used; it is gone then. */
async function inspect(directory: string, { number, path }: Place, { quarantine }: Recovery) {
  // A symlink is not followed: whoever may write here must not make us change something else.
  await using file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  const stat = await file.stat();
  if (!stat.isFile()) throw new Error('not a regular file');
  const segment =
    (await fromEnd(directory, { number, file, size: stat.size })) ??
    (await scan(directory, { number, file, size: stat.size }));
  if (segment.size < stat.size) {
    const [position, bytes] = [segment.size, stat.size - segment.size];
    await quarantine.keep(file, { path, position, bytes, reason: segment.size === 0 ? 'damaged' : 'torn' });
  } else if (stat.size === 0) quarantine.report({ path, position: 0, bytes: 0, reason: 'empty' });
  if (segment.size === 0) {
    await rm(path, { force: true });
    return undefined;
  }
  if (!segment.sealed) await seal(segment, file);
  return segment;
}

type Opened = { readonly number: number; readonly file: FileHandle; readonly size: number };

/** One that was closed says at its end what is in it, and need not be read. */
async function fromEnd(directory: string, { number, file, size }: Opened): Promise<Segment | undefined> {
  if (size < headerLength) return undefined;
  const reader = new FrameReader(file, { position: size - headerLength });
  await reader.fill(size);
  const frame = reader.next(size);
  if (typeof frame !== 'object' || frame.kind !== kinds.end || !reader.origin) return undefined;
  const segment = new Segment(directory, number, reader.origin);
  const { offset: length, before: records, time: to } = frame;
  return Object.assign(segment, { size, length, records, from: await firstTime(file, size, to), to, sealed: true });
}

async function firstTime(file: FileHandle, size: number, otherwise: number): Promise<number> {
  const reader = new FrameReader(file);
  await reader.fill(size);
  const first = reader.next(size);
  return typeof first === 'object' ? first.time : otherwise;
}

async function scan(directory: string, { number, file, size }: Opened): Promise<Segment> {
  const reader = new FrameReader(file);
  let segment: Segment | undefined;
  for await (const found of walk(reader, size)) {
    if (!('frame' in found) || !reader.origin) continue;
    const { frame, payload, position } = found;
    segment ??= Object.assign(new Segment(directory, number, reader.origin), { from: frame.time });
    segment.size = position + headerLength + payload.length;
    segment.length = frame.offset + payload.length + frame.dropped;
    segment.records = frame.before + frame.records;
    segment.to = frame.time;
    // Nothing was written behind that, though what is there has changed.
    if (frame.kind === kinds.end) segment.sealed = true;
  }
  return segment ?? new Segment(directory, number, Buffer.alloc(8));
}

/** Closed for good: what comes next goes to a new one, so that nothing is ever written behind what is torn. */
export async function seal(segment: Segment, file: FileHandle): Promise<void> {
  segment.sealed = true;
  try {
    await file.truncate(segment.size);
    await file.write(endOf(segment), 0, headerLength, segment.size);
    segment.size += headerLength;
  } catch (error) {
    // On a full disk it stays without its end, and is read through at the next start.
    if (!['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The last frame: what all those before it hold together. */
export function endOf({ length, records, to, origin }: Segment): Buffer {
  const header = { kind: kinds.end, offset: length, before: records, records: 0, dropped: 0, time: to };
  return encodeHeader(header, { payload: Buffer.alloc(0), origin });
}
