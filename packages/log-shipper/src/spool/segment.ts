// One file of the queue: what is known of it without reading it.

import { join } from 'node:path';
import type { Header } from './frame-format.ts';

/** In the state directory. */
export const directoryName = 'spool';

export class Segment {
  readonly number: number;
  readonly path: string;
  /** Tells it from any other, also from one of the same name. */
  readonly origin: Buffer;
  /** Bytes of the file that are valid; what is behind them has not been committed. */
  size = 0;
  /** Bytes of lines that were put into it. Positions count these: they stay what they are when lines are taken out. */
  length = 0;
  records = 0;
  /** When the first and the last of it had come. */
  from = 0;
  to = 0;
  /** Nothing is added any more. */
  sealed = false;
  /** Its file was written anew, so places in the file are others. */
  generation = 0;
  /** Its file is gone, and what nobody had read with it. */
  removed = false;
  /** Lines below the level that may go first are not in it any more. */
  sifted = false;

  constructor(directory: string, number: number, origin: Buffer) {
    this.number = number;
    this.path = join(directory, segmentName(number));
    this.origin = origin;
  }

  /** One more frame of that many bytes is in it. */
  add({ records, time, dropped }: Header, { bytes, payload }: { bytes: number; payload: number }): void {
    if (this.size === 0) this.from = time;
    this.to = time;
    this.size += bytes;
    this.length += payload + dropped;
    this.records += records;
  }
}

const segmentName = (number: number): string => `${String(number).padStart(16, '0')}.log`;

/** The number of a segment's file; undefined for any other name. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^(\d{16})\.log$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** How far a sink has come: as it is written to the checkpoint. */
export type Position = {
  readonly segment: number;
  /** The segment's identity; another under the same number is read from its beginning. */
  readonly origin: string;
  /** Bytes of its lines. */
  readonly offset: number;
};

export type Positions = Readonly<Record<string, Position>>;
