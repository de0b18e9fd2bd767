// A rule is one promise of the contract, put to a sidecar from outside.

import type { Bench } from './bench.ts';

/** An error breaks Pods; a warning costs whoever runs them time. Both count as failed. */
export type Severity = 'error' | 'warning';

export type Rule = {
  /** `group/name`, stable: reports and --rule use it. */
  readonly id: string;
  /** One sentence without full stop: what a sidecar does that keeps it. */
  readonly title: string;
  /** Why it matters, for who breaks it. */
  readonly reason: string;
  /** Heading of packages/core/README.md, as a fragment. */
  readonly section: 'parameters' | 'health' | 'the-api' | 'life';
  readonly severity: Severity;
  /** Measures time, so nothing else runs beside it. */
  readonly alone?: boolean;
  /** Returns when the promise is kept; throws Broken or Skip otherwise. */
  check(bench: Bench): Promise<void>;
};

export const defineRule = (rule: Rule): Rule => rule;

/** The promise is broken. */
export class Broken extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: string) {
    super(`${expected} is expected, seen: ${seen}`);
    this.name = 'Broken';
    this.expected = expected;
    this.seen = seen;
  }
}

/** The promise cannot be put to the test here. */
export class Skip extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Skip';
  }
}

/** Throws Broken unless the condition holds. */
export function demand(condition: unknown, expected: string, seen: string | (() => string)): asserts condition {
  if (!condition) throw new Broken(expected, typeof seen === 'string' ? seen : seen());
}
