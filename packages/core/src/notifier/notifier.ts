// The contract of a notifier: it tells somebody once of the newest state of something and says whether that worked.
// Time-out, retry and coalescing are written once around every notifier, in courier.ts; metrics and log are the role's.

import type { Fields } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Member, Parameters, Values } from '../parameters/parameter.ts';

/** What is told: a number that grows with each change, and what names the content. */
export type Notice = { readonly generation: number; readonly hash: string };

export type Notifier<N extends Notice = Notice> = {
  /** Whom it tells and how, for messages; holds no credentials. */
  readonly target: string;
  /**
   * Resolves once it was taken, with details for the log; throws a Fault when it was not. Such a Fault may have a field
   * `retryAfter`, the milliseconds to wait before the next attempt. Ends soon after the signal aborts. Never called twice
   * at a time.
   */
  notify(notice: N, signal: AbortSignal): Promise<Fields>;
};

type Surroundings = { readonly log: Log };

export type NotifierMember = Member & { open(parameters: Values<Parameters>, surroundings: Surroundings): Notifier };

/** Gives `open` the types of the member's own parameters. */
export const defineNotifier = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(parameters: Values<P>, surroundings: Surroundings): Notifier;
}): NotifierMember => member as unknown as NotifierMember;
