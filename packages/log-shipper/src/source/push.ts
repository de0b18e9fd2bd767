// What a source that is pushed to is: it gives what it was sent to the intake, and tells its sender when that is safe.

import type { Context, Member, Parameters, Values } from '@outrigger/core';
import type { Intake } from '../intake.ts';
import type { metrics } from '../metrics.ts';
import type { Trouble } from './source.ts';

export type PushContext<V> = Pick<Context<Parameters, typeof metrics>, 'log'> & {
  readonly parameters: V;
  readonly intake: Intake;
};

export type PushSource = AsyncDisposable & {
  readonly troubles: readonly Trouble[];
  /** Where it listens, as a person would say it. */
  readonly listening?: string;
  /** Resolves when nothing more can come: its input has ended. */
  readonly ended?: Promise<void>;
};

/** Disposing ends what is coming in: what was received is put first, as far as there is room. */
export type PushMember = Member & {
  readonly pushes: true;
  open(context: PushContext<Values<Parameters>>): Promise<PushSource>;
};

export const definePushSource = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(context: PushContext<Values<P>>): Promise<PushSource>;
}): PushMember => ({ ...member, pushes: true }) as unknown as PushMember;

/** How long what is on its way is still taken when the end has come, in milliseconds, and how long a silence means that it is all. */
export const leaving = { most: 2000, quiet: 100 } as const;
