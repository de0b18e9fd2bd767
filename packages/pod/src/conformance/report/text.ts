// For people: a line as each rule ends, everything about what failed, a summary.

import type { Paint } from '../../run/log/paint.ts';
import type { Rule } from '../rule.ts';
import type { Result } from '../run-rules.ts';
import { countsOf, linkOf } from './summary.ts';

const codes = { passed: 'info', failed: 'error', skipped: 'warn' } as const;

export class TextReport {
  readonly #paint: Paint;
  readonly #width: number;
  readonly #begun = performance.now();

  constructor(rules: readonly Rule[], paint: Paint) {
    this.#paint = paint;
    this.#width = Math.max(...rules.map(({ id }) => id.length));
  }

  /** Results come in the order in which rules end. */
  add(result: Result): void {
    const { rule, outcome, milliseconds } = result;
    const time = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
    const text = outcome === 'skipped' ? result.reason : rule.title;
    const word = this.#paint.level(codes[outcome], outcome.padEnd(7));
    process.stdout.write(`${word}  ${rule.id.padEnd(this.#width)}  ${this.#paint.dim(time)}  ${text}\n`);
    if (outcome === 'failed') process.stdout.write(`${this.#explain(result)}\n`);
  }

  #explain({ rule, expected, seen, said }: Extract<Result, { outcome: 'failed' }>): string {
    const stderr = said.length > 0 ? said : ['nothing'];
    const rows = [
      ['expected', expected],
      ['seen', seen],
      ['matters', rule.reason],
      ['read', linkOf(rule)],
      ...stderr.map((line, index) => [index === 0 ? 'stderr' : '', line] as const),
    ];
    return rows.map(([label, text]) => `         ${this.#paint.dim(label!.padEnd(8))}  ${text}`).join('\n');
  }

  end(results: readonly Result[]): void {
    const { passed, failed, skipped } = countsOf(results);
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(1);
    const text = `${results.length} rules in ${seconds} s: ${passed} passed, ${failed} failed, ${skipped} skipped`;
    process.stdout.write(`\n${this.#paint.bold(text)}\n`);
  }
}

/** `--list` */
export function listRules(rules: readonly Rule[]): string {
  const width = Math.max(...rules.map(({ id }) => id.length));
  return rules.map(({ id, severity, title }) => `${id.padEnd(width)}  ${severity.padEnd(7)}  ${title}\n`).join('');
}
