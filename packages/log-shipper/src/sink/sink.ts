// What a sink is: it writes a batch and says what became of it. Time-out, retry, back-off, splitting, dead letters, metrics
// and drain are written once around every sink, in deliver.ts.

import type { Context, Member, Parameters, Values } from '@outrigger/core';
import type { Batch } from '../batch.ts';
import type { Encoding } from '../encoding/encoding.ts';

/** A record that the receiver refuses for good, by its index in the batch. */
export type Death = { readonly index: number; readonly reason: string };

export type Verdict =
  /** The receiver has said that it has all of it. */
  | { readonly became: 'delivered' }
  /**
   * Not, or perhaps not: to be sent again, for as long as it takes. `after`: not before so many milliseconds. `doubtful`:
   * is it the record or the receiver? Another batch that the receiver takes would tell.
   */
  | {
      readonly became: 'retry';
      readonly reason: string;
      readonly after?: number | undefined;
      readonly doubtful?: boolean;
    }
  /** Too large for the receiver: to be sent again in halves. A single record that is too large is dead. */
  | { readonly became: 'split'; readonly reason: string }
  /** Some are to be sent again, some are dead; the others are delivered. */
  | {
      readonly became: 'partly';
      readonly reason: string;
      readonly retry: readonly number[];
      readonly dead: readonly Death[];
      readonly after?: number | undefined;
    }
  /** The receiver refuses all of it for good. */
  | { readonly became: 'dead'; readonly reason: string }
  /** It refuses us, not what we send: nothing is lost by waiting until somebody has mended the configuration. */
  | { readonly became: 'paused'; readonly reason: string }
  /** This process will never deliver anything there again. */
  | { readonly became: 'broken'; readonly reason: string };

export const delivered: Verdict = { became: 'delivered' };

export type Sink = {
  readonly encoding: Encoding;
  /** Of one batch: what the receiver takes at most, in encoded bytes and in records. */
  readonly limits?: { readonly bytes?: number; readonly records?: number };
  /** How long a write may take. Absent where waiting is right: a reader of stdout who pauses is not gone. */
  readonly timeout?: number;
  /** What takes batches at no cost of their own need not wait for more records. */
  readonly local?: boolean;
  /** One batch at a time. Ends soon after the signal aborts; what it throws counts as `retry`. */
  write(batch: Batch, signal: AbortSignal): Promise<Verdict>;
  /** After the last write. */
  close?(): void | Promise<void>;
};

export type SinkContext = Pick<Context<Parameters>, 'log' | 'signal'> & {
  readonly stateDirectory: string;
};

export type SinkMember = Member & {
  /** The file that it writes on this machine. */
  writes?(parameters: Values<Parameters>): string;
  open(parameters: Values<Parameters>, context: SinkContext): Sink | Promise<Sink>;
};

export const defineSink = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  writes?(parameters: Values<P>): string;
  open(parameters: Values<P>, context: SinkContext): Sink | Promise<Sink>;
}): SinkMember => member as unknown as SinkMember;
