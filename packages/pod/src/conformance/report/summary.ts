// What all forms of the report share.

import type { Rule } from '../rule.ts';
import type { Result } from '../run-rules.ts';

export const linkOf = ({ section }: Rule): string => `packages/core/README.md#${section}`;

export function countsOf(results: readonly Result[]): Readonly<Record<Result['outcome'], number>> {
  const count = (outcome: Result['outcome']) => results.filter((result) => result.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}
