// Which rules are meant: ids, or globs over them.

import { nearest } from '@outrigger/core';
import type { Rule } from './rule.ts';

/** All rules when there are no patterns. Problems name patterns that mean none. */
export function selectRules(
  rules: readonly Rule[],
  patterns: readonly string[],
): { readonly selected: readonly Rule[]; readonly problems: string[] } {
  if (patterns.length === 0) return { selected: rules, problems: [] };
  const matchers = patterns.map((pattern) => ({ pattern, matches: (id: string) => globOf(pattern).test(id) }));
  const problems = matchers
    .filter(({ matches }) => !rules.some(({ id }) => matches(id)))
    .map(({ pattern }) => {
      const guess = nearest(
        pattern,
        rules.map(({ id }) => id),
      );
      return `--rule: no rule is named ${pattern}${guess ? `; did you mean ${guess}?` : '; --list names them'}`;
    });
  return { selected: rules.filter(({ id }) => matchers.some(({ matches }) => matches(id))), problems };
}

const globOf = (pattern: string) =>
  new RegExp(`^${RegExp.escape(pattern).replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`);
