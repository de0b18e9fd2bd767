// For programs.

import type { Result } from '../run-rules.ts';
import { countsOf, linkOf } from './summary.ts';

/** `{ command, summary: { passed, failed, skipped }, rules: [{ id, outcome, ... }] }` */
export function renderJson(command: readonly string[], results: readonly Result[]): string {
  const rules = results.map(({ rule, ...result }) => {
    const { id, title, reason: matters, severity } = rule;
    return { id, title, matters, severity, link: linkOf(rule), ...result };
  });
  return `${JSON.stringify({ command, summary: countsOf(results), rules }, null, 2)}\n`;
}
