// What a source is: where lines come from. Each sink reads at its own pace, so that one that is down stops no other.

import type { Context, Member, Parameters, Values } from '@outrigger/core';
import type { Ledger } from '../ledger.ts';
import type { metrics } from '../metrics.ts';

export type Chunk = {
  /** Where the bytes come from, as a person would say it. */
  readonly path: string;
  /** Valid until the next chunk is asked for. */
  readonly bytes: Buffer;
  /** What the bytes after the last newline are: not yet a line, the last line of all, or as much of it as there is. */
  readonly unfinished: 'held' | 'line' | 'part';
  /** The first `length` bytes have been taken. What is left comes again when there is more. */
  take(length: number): void;
  /** How to acknowledge the first `length` bytes later. */
  acknowledgement(length: number): () => void;
};

export type SourceContext<V> = Pick<
  Context<Parameters, typeof metrics>,
  'log' | 'metrics' | 'events' | 'signal' | 'fail'
> & {
  readonly parameters: V;
  /** Knows where an earlier run stopped, and is told how far this one has come. */
  readonly ledger: Ledger;
  /** Where the sidecar's own files are: no source. */
  readonly stateDirectory: string;
  /** A chunk must be able to hold a line of this length and its newline. */
  readonly lineLimit: number;
  /** How long after `signal` the source may go on reading what is still being written. */
  readonly patience: number;
};

/** Something that cannot be read at present. */
export type Trouble = { readonly path: string; readonly reason: string };

export type Source = AsyncDisposable & {
  /** What there is for a sink, in order. Waits while there is nothing; ends after `signal`, when all that was there has been read. */
  chunks(sink: string): AsyncIterable<Chunk>;
  readonly troubles: readonly Trouble[];
};

export type SourceMember = Member & { open(context: SourceContext<Values<Parameters>>): Promise<Source> };

export const defineSource = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(context: SourceContext<Values<P>>): Promise<Source>;
}): SourceMember => member as unknown as SourceMember;
