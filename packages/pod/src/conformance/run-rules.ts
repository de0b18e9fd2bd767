// Puts rules to a sidecar, several at the same time, and says what became of each.

import { availableParallelism } from 'node:os';
import { reasonOf } from '@outrigger/core';
import { Bench } from './bench.ts';
import { Broken, type Rule, Skip } from './rule.ts';
import { first } from './rules/index.ts';
import type { Subject } from './subject.ts';

export type Result = { readonly rule: Rule; readonly milliseconds: number } & (
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'skipped'; readonly reason: string }
  | {
      readonly outcome: 'failed';
      readonly expected: string;
      readonly seen: string;
      /** Last lines of stderr. */
      readonly said: readonly string[];
    }
);

export type RunOptions = {
  readonly subject: Subject;
  /** Milliseconds that starting and stopping may take. */
  readonly deadline: number;
  /** Whatever runs is ended, and what has not begun is not. */
  readonly signal: AbortSignal;
  readonly done: (result: Result) => void;
};

/** In the order of the rules. Rejects with the signal's reason when it aborts. */
export async function runRules(rules: readonly Rule[], options: RunOptions): Promise<readonly Result[]> {
  const results = new Map<Rule, Result>();
  const note = (result: Result) => {
    results.set(result.rule, result);
    options.done(result);
  };
  const put = async (rule: Rule) => note(await putToTest(rule, options));
  if (rules.includes(first)) await put(first);
  const rest = rules.filter((rule) => rule !== first);
  if (results.get(first)?.outcome === 'failed') {
    const reason = `It does not start: see ${first.id}`;
    for (const rule of rest) note({ rule, milliseconds: 0, outcome: 'skipped', reason });
  } else {
    await inParallel(
      rest.filter(({ alone }) => !alone),
      put,
    );
    for (const rule of rest.filter(({ alone }) => alone)) await put(rule);
  }
  options.signal.throwIfAborted();
  return rules.map((rule) => results.get(rule)!);
}

async function inParallel(rules: readonly Rule[], put: (rule: Rule) => Promise<void>): Promise<void> {
  const queue = [...rules];
  const worker = async () => {
    for (let rule = queue.shift(); rule; rule = queue.shift()) await put(rule);
  };
  // They wait more than they work, but starting a program is work.
  const ended = await Promise.allSettled(Array.from({ length: availableParallelism() + 1 }, worker));
  // Only now: whoever hears of a failure may end the process, and each bench is to be cleared before.
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

const saidLines = 8;

async function putToTest(rule: Rule, { subject, deadline, signal }: RunOptions): Promise<Result> {
  const begun = performance.now();
  const timed = () => ({ rule, milliseconds: Math.round(performance.now() - begun) });
  await using bench = await Bench.open(subject, deadline);
  try {
    signal.throwIfAborted();
    await Promise.race([rule.check(bench), aborted(signal)]);
    return { ...timed(), outcome: 'passed' };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Skip) return { ...timed(), outcome: 'skipped', reason: error.message };
    const { expected, seen } =
      error instanceof Broken ? error : { expected: 'a rule that can be tried', seen: reasonOf(error) };
    const said = bench.stderr.split('\n').filter(Boolean).slice(-saidLines);
    return { ...timed(), outcome: 'failed', expected, seen, said };
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
