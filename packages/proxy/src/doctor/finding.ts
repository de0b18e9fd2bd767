// What a probe finds, and what the proxy should be told because of it.

import { formatDuration } from '@outrigger/core';
import type { Answer } from './line.ts';
import type { Target } from './target.ts';

/** Parameters of the proxy; of several values for one, the smallest is safe for all. */
export type Suggestion = {
  readonly upstream?: string;
  readonly mode?: 'tcp';
  readonly allowPlainUpstream?: true;
  /** In milliseconds. */
  readonly upstreamIdleTimeout?: number;
  /** In bytes. */
  readonly headLimit?: number;
};

export type Finding = {
  /** Stable, as is `outcome`: scripts may rely on both. */
  readonly id: string;
  readonly outcome: string;
  /** What was seen, in a few words. */
  readonly evidence: string;
  /** Only where something is to be done or known. */
  readonly advice?: string;
  readonly suggests?: Suggestion;
};

/** Resolves with what it finds; what it throws becomes a finding of outcome `unknown`. */
export type Probe = {
  readonly id: string;
  find(target: Target): Promise<readonly Finding[] | Finding>;
};

/** An answer in a few words. */
export function say(answer: Answer): string {
  switch (answer.kind) {
    case 'response':
      return String(answer.status);
    case 'interim':
      return String(answer.status);
    case 'invalid':
      return `not HTTP as the proxy accepts it (${answer.detail})`;
    case 'cut':
      return `${answer.reset ? 'a reset' : 'a close'} ${answer.octets > 0 ? `after ${answer.octets} octets` : 'without an answer'}`;
    case 'late':
      return `${answer.octets > 0 ? 'an incomplete' : 'no'} answer within ${formatDuration(answer.after)}`;
  }
}

/** The beginning of what was received, on one line. */
export function quote(octets: Buffer): string {
  const text = octets.toString('latin1', 0, 24).replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  return `"${text.replace(/[^ -~]/g, '.')}${octets.length > 24 ? '...' : ''}"`;
}
