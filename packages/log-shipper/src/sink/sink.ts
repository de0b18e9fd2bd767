// What a sink is: it writes a batch and says what became of it. Time-out, retry, back-off, metrics and drain are written
// once around every sink, in deliver.ts.

import type { Member, Parameters, Values } from '@outrigger/core';
import type { Batch } from '../encode.ts';
import type { EncodingName } from '../encoding/index.ts';

export type Outcome =
  /** The receiver has said that it has all of it. */
  | { readonly became: 'delivered' }
  /** Not, or perhaps not: to be sent again. */
  | { readonly became: 'undelivered'; readonly reason: string }
  /** This process will never deliver anything there again. */
  | { readonly became: 'broken'; readonly reason: string };

export const delivered: Outcome = { became: 'delivered' };

export type Sink = {
  readonly encoding: EncodingName;
  /** How long a write may take. Absent where waiting is right: a reader of stdout who pauses is not gone. */
  readonly timeout?: number;
  /** One batch at a time. Ends soon after the signal aborts; what it throws counts as undelivered. */
  write(batch: Batch, signal: AbortSignal): Promise<Outcome>;
  /** After the last write. */
  close?(): void;
};

export type SinkMember = Member & { open(parameters: Values<Parameters>): Sink };

export const defineSink = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(parameters: Values<P>): Sink;
}): SinkMember => member as unknown as SinkMember;
