// What lies between bytes and records where a record is more than a line: lines in an envelope (cri, docker), one line in
// several pieces, several lines that are one record. Stateless, as framing is: what is not complete is not taken, and
// comes again when the file has grown. So every stage looks at a chunk as if nothing had been before it.

import type { Times } from '../records.ts';
import type { Chunk } from '../source/source.ts';
import { type Found, settle } from './found.ts';

/** Which of a container's streams a line came from. */
export const Stream = { unknown: 0, stdout: 1, stderr: 2 } as const;
export type Stream = (typeof Stream)[keyof typeof Stream];

export type Source = Pick<Chunk, 'bytes' | 'unfinished' | 'quiet' | 'full'>;

/** `record`: most bytes of one. `timeout`: how long, in milliseconds, one is waited for to be complete. */
export type Limits = { readonly record: number; readonly timeout: number };

export type Joined = {
  /** What the spans lie in: the chunk's bytes where no line had to be put together. */
  readonly bytes: Buffer;
  readonly spans: Uint32Array;
  /**
   * How much of the chunk may be acknowledged with each record. Ascending, but not strictly: of records that lie within
   * one another (two streams in one file) only the last takes bytes, so that none is ever begun in its middle.
   */
  readonly ends: Uint32Array;
  /** Where each record begins; absent where each begins where the one before it ends. */
  readonly starts?: Uint32Array;
  readonly length: number;
  /** Indices of records that go on in the next one of their stream, or whose rest has not come. */
  readonly partial: ReadonlySet<number>;
  /** Why a line stays as it is, by index. */
  readonly errors: ReadonlyMap<number, string>;
  readonly times?: Times;
  /** Of Stream's. */
  readonly streams?: Uint8Array;
  /** To be called once nobody looks at these any more. */
  readonly free?: () => void;
};

export type Join = (chunk: Source, limits: Limits) => Joined;

/** @param over nothing more is waited for: what is incomplete is given as it is. */
export type Stage = (chunk: Source, limits: Limits, over: boolean) => Found;

export function joinBy(stage: Stage): Join {
  return (chunk, limits) => {
    const over = chunk.unfinished !== 'held' || chunk.quiet >= limits.timeout;
    const joined = settle(stage(chunk, limits, over));
    if (joined.length > 0 || !chunk.full || chunk.bytes.length === 0) return joined;
    joined.free?.();
    // Nothing is complete in all that there is room for. A line that alone is more goes as the part that is there.
    const unfinished = chunk.bytes.includes(0x0a) ? chunk.unfinished : 'part';
    return settle(stage({ ...chunk, unfinished }, limits, true));
  };
}
