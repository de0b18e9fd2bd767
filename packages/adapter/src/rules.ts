// The rules: what they may say, and what a schema cannot find wrong with them.

import type { Reading } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { formats } from './format.ts';
import { parsePath, prefixesOf } from './path.ts';
import type { Namespaces } from './select.ts';

const number = z.number();
// "unlimited" may stand for .inf, so unlike elsewhere infinity is a number here.
const anyNumber = z.custom<number>(
  (value) => typeof value === 'number' && !Number.isNaN(value),
  'a number is expected',
);

const ruleSchema = z.strictObject({
  metric: z.string(),
  type: z.enum(['counter', 'gauge', 'untyped']),
  help: z.string(),
  path: z.string(),
  value: z.optional(z.union([z.string(), number], 'a path or a number is expected')),
  labels: z.optional(z.record(z.string(), z.string())),
  format: z.optional(z.enum(formats)),
  thousands: z.optional(z.enum([',', '.', ' ', '_', "'"])),
  decimal: z.optional(z.enum(['.', ','])),
  scale: z.optional(number),
  map: z.optional(z.record(z.string(), anyNumber)),
  ignore: z.optional(z.array(z.string())),
  optional: z.optional(z.boolean()),
});

export const rulesSchema = z.strictObject({
  root: z.optional(z.string()),
  namespaces: z.optional(z.record(z.string(), z.string())),
  defaultNamespace: z.optional(z.string()),
  rules: z.array(ruleSchema).check(z.minLength(1, 'at least one rule is expected')),
});

type Written = z.output<typeof ruleSchema>;

/** Plain data: it crosses to another thread as it is. */
export type Rule = Written & {
  /** `rules.yaml:4:5`, for messages. */
  readonly place: string;
};

export type Rules = {
  readonly file: string;
  /** The name that the root element must have, if any. */
  readonly root: string | undefined;
  readonly namespaces: Namespaces;
  readonly rules: readonly Rule[];
};

export function readRules(accepted: z.output<typeof rulesSchema>, { file, place, problem }: Reading): Rules {
  const namespaces: Namespaces = { ...accepted.namespaces, '': accepted.defaultNamespace ?? '' };
  const rules: Rule[] = [];
  for (const [index, rule] of accepted.rules.entries()) {
    checkRule(rule, {
      namespaces,
      before: rules,
      say: (message, ...path) => {
        if (message !== undefined) problem(message, 'rules', index, ...path);
      },
    });
    rules.push({ ...rule, place: place('rules', index) });
  }
  return { file, root: accepted.root, namespaces, rules };
}

type Around = {
  readonly namespaces: Namespaces;
  readonly before: readonly Rule[];
  /** Undefined: nothing is wrong. */
  readonly say: (message: string | undefined, ...path: string[]) => void;
};

/** What a schema cannot say. */
function checkRule(rule: Written, { namespaces, before, say }: Around): void {
  say(metricProblem(rule), 'metric');
  const same = before.find(({ metric }) => metric === rule.metric);
  if (same && same.type !== rule.type) say(`${same.place} says that ${rule.metric} is a ${same.type}`, 'type');
  if (same && same.help !== rule.help) say(`${same.place} explains ${rule.metric} in other words`, 'help');
  if (rule.help.trim() === '') say('a sentence is expected', 'help');
  say(pathProblem(rule.path, namespaces, true), 'path');
  if (typeof rule.value === 'string') say(pathProblem(rule.value, namespaces), 'value');
  for (const [name, path] of Object.entries(rule.labels ?? {})) {
    say(labelProblem(name), 'labels', name);
    say(pathProblem(path, namespaces), 'labels', name);
  }
  if (rule.scale === 0) say('a number other than 0 is expected', 'scale');
  if (rule.thousands !== undefined && rule.thousands === (rule.decimal ?? '.'))
    say('thousands and decimal are the same', 'thousands');
  if (typeof rule.value === 'number' && rule.type === 'counter' && rule.value < 0)
    say('a counter is never negative', 'value');
}

function metricProblem({ metric, type }: Written): string | undefined {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(metric))
    return `"${metric}" is no metric name: letters, digits and _ are expected, not starting with a digit`;
  // These are the sidecar's own; two families of one name make the whole scrape invalid.
  if (/^(outrigger|process)_/.test(metric))
    return `${metric}: names in outrigger_ and process_ are taken by the sidecar`;
  if (type === 'counter' && !metric.endsWith('_total')) return `a counter is named ${metric}_total`;
  if (type !== 'counter' && metric.endsWith('_total')) return `${metric}: only a counter ends in _total`;
  const suffix = /_(bucket|count|sum|created)$/.exec(metric)?.[0];
  return suffix && `${metric}: ${suffix} belongs to histograms and summaries`;
}

function labelProblem(name: string): string | undefined {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return `"${name}" is no label name: letters, digits and _ are expected`;
  if (name.startsWith('__')) return `${name}: names starting with __ belong to Prometheus`;
  return name === 'le' || name === 'quantile' ? `${name} belongs to histograms and summaries` : undefined;
}

function pathProblem(source: string, namespaces: Namespaces, nodes = false): string | undefined {
  try {
    const path = parsePath(source);
    if (nodes && path.kind === 'literal') return 'a path to elements or attributes is expected, not a literal';
    const unknown = prefixesOf(path).find((prefix) => prefix !== 'xml' && !Object.hasOwn(namespaces, prefix));
    return unknown && `the prefix "${unknown}" is not declared under namespaces`;
  } catch (error) {
    return (error as Error).message;
  }
}
