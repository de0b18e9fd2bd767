// What a source is: where lines come from. Each sink reads at its own pace, so that one that is down stops no other.

import type { Context, Member, Parameters, Values } from '@outrigger/core';
import type { Ledger, Settled } from '../ledger.ts';
import type { metrics } from '../metrics.ts';
import type { Fields } from '../records.ts';

export type Chunk = {
  /** Where the bytes come from, as a person would say it. */
  readonly path: string;
  /** What the bytes belong to, the same in every run: no other content has this id and the same offsets. */
  readonly origin: string;
  /** Where in it the bytes begin. */
  readonly offset: number;
  /** Valid until it is released. */
  readonly bytes: Buffer;
  /** What the bytes after the last newline are: not yet a line, the last line of all, or as much of it as there is. */
  readonly unfinished: 'held' | 'line' | 'part';
  /** How long ago the last of them came, in milliseconds: infinite once nothing more can come. */
  readonly quiet: number;
  /** The window holds no more: something has to be taken, whatever is incomplete. */
  readonly full: boolean;
  /** What lines are wrapped in. */
  readonly wrapping?: 'cri' | 'docker';
  /** Records that were parsed and transformed before they were put on disk. */
  readonly settled?: boolean;
  /** What all of its records have beside their own fields. */
  readonly fields?: Fields;
  /** The first `length` bytes have been taken. What is left comes again when there is more. */
  take(length: number): void;
  /** How to acknowledge the first `length` bytes later. To be called while the bytes are valid. */
  acknowledgement(length: number): (settled: Settled) => void;
  /** Nobody looks at the bytes any more: they are used again. */
  release(): void;
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
  /** Files that sinks write: no source either. */
  readonly written: readonly string[];
  /** A chunk must be able to hold a line of this length and its newline. */
  readonly lineLimit: number;
  /** For how many milliseconds at least a file was quiet when what is held of it is offered again; absent: it is not. */
  readonly holdTimeout: number | undefined;
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

export type SourceMember = Member & {
  /** Its lines are wrapped in something, and long ones come in pieces. */
  readonly wraps?: boolean;
  open(context: SourceContext<Values<Parameters>>): Promise<Source>;
};

export const defineSource = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  readonly wraps?: boolean;
  open(context: SourceContext<Values<P>>): Promise<Source>;
}): SourceMember => member as unknown as SourceMember;
