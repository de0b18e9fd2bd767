// A problem that was found in use, named as those that are found when parameters are read.

import type { Entry } from './names.ts';
import type { ParameterProblem, Problem } from './problem.ts';
import type { Effective } from './resolve.ts';

/** With the flag, value and source of its parameter. */
export function problemIn(
  { key, message }: Pick<ParameterProblem, 'key' | 'message'>,
  entries: readonly Entry[],
  effective: Readonly<Record<string, Effective>>,
): Problem {
  const { value, source } = effective[key] ?? {};
  // A structure is too much to be shown.
  const shown = value === undefined || (typeof value === 'object' && !Array.isArray(value)) ? undefined : String(value);
  return { parameter: flagOf(key, entries), value: shown, source, message };
}

export const flagOf = (key: string, entries: readonly Entry[]) =>
  entries.find((each) => each.key === key)?.flags[0] ?? key;
