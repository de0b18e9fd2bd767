// The contract of a notifier: it tells the application once and says whether that worked. Time-out, retry, coalescing,
// metrics and the log are written once around every notifier, in notify.ts.

import type { Fields, Member, Parameters, Values } from '@outrigger/core';

/** What the application is told about. */
export type Notice = { readonly generation: number; readonly hash: string };

export type Notifier = {
  /** Whom it tells and how, for messages; holds no credentials. */
  readonly target: string;
  /**
   * Resolves once the application took it, with details for the log; throws a Fault when it did not. Ends soon after the
   * signal aborts. Never called twice at a time.
   */
  notify(notice: Notice, signal: AbortSignal): Promise<Fields>;
};

export type NotifierMember = Member & { open(parameters: Values<Parameters>): Notifier };

/** Gives `open` the types of the member's own parameters. */
export const defineNotifier = <P extends Parameters>(member: {
  readonly summary: string;
  readonly parameters: P;
  open(parameters: Values<P>): Notifier;
}): NotifierMember => member as unknown as NotifierMember;
