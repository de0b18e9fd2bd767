// What a transform is: it changes the records of a chunk in place, or drops some of them with a reason, so that the
// ledger adds up.

import type { Context, Member, Parameters, Values } from '@outrigger/core';
import type { Records } from '../records.ts';

export type Transform = {
  /** `fields`: those of all records must have been found before; otherwise lines may stay bytes. */
  readonly needs: 'bytes' | 'fields';
  apply(records: Records): void;
};

/** What the transforms count, by the names under which metrics.ts declares it. */
export type TransformMetrics = {
  readonly redactions: { inc(labels: { readonly rule: string }, value?: number): void };
  readonly redactionFailures: { inc(): void };
};

export type TransformContext = Pick<Context<Parameters>, 'log' | 'signal'> & { readonly metrics: TransformMetrics };

export type TransformMember = Member & {
  /** Throws a ParameterProblem for what no single parameter can know. Done by whoever opens it, and by --check. */
  check?(parameters: Values<Parameters>): void;
  open(parameters: Values<Parameters>, context: TransformContext): Transform | Promise<Transform>;
};

export const defineTransform = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  check?(parameters: Values<P>): void;
  open(parameters: Values<P>, context: TransformContext): Transform | Promise<Transform>;
}): TransformMember => member as unknown as TransformMember;
