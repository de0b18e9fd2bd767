// The rules file: what it may say, and what is wrong with it, all at once, each with its place in the file.

import { readFileSync } from 'node:fs';
import { reasonOf } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { parseDocument } from 'yaml';
import { formats } from './format.ts';
import { parsePath, prefixesOf } from './path.ts';
import { Places, type Problem, problemsOf } from './rules-problems.ts';
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
  value: z.optional(z.union([z.string(), number])),
  labels: z.optional(z.record(z.string(), z.string())),
  format: z.optional(z.enum(formats)),
  thousands: z.optional(z.enum([',', '.', ' ', '_', "'"])),
  decimal: z.optional(z.enum(['.', ','])),
  scale: z.optional(number),
  map: z.optional(z.record(z.string(), anyNumber)),
  ignore: z.optional(z.array(z.string())),
  optional: z.optional(z.boolean()),
});

const fileSchema = z.strictObject({
  root: z.optional(z.string()),
  namespaces: z.optional(z.record(z.string(), z.string())),
  defaultNamespace: z.optional(z.string()),
  rules: z.array(z.unknown()),
});

type Written = z.output<typeof ruleSchema>;

/** Plain data: it crosses to another thread as it is. */
export type Rule = Written & {
  /** `rules.yaml:4:5`, for messages. */
  readonly place: string;
};

export type Rules = {
  /** The name that the root element must have, if any. */
  readonly root: string | undefined;
  readonly namespaces: Namespaces;
  readonly rules: readonly Rule[];
};

export type ParsedRules = { readonly rules: Rules } | { readonly problems: readonly string[] };

export function readRules(file: string): ParsedRules {
  return failing(file, () => parseContent(file, readFileSync(file, 'utf8')));
}

export function parseRules(file: string, content: string): ParsedRules {
  return failing(file, () => parseContent(file, content));
}

// A file that cannot be read, and aliases that multiply beyond reason, are told like any problem.
function failing(file: string, parse: () => ParsedRules): ParsedRules {
  try {
    return parse();
  } catch (error) {
    return { problems: [`${file}: ${reasonOf(error)}`] };
  }
}

function parseContent(file: string, content: string): ParsedRules {
  const places = new Places(file);
  const document = parseDocument(content, { lineCounter: places.lines, prettyErrors: false });
  if (document.errors.length > 0)
    return { problems: document.errors.map(({ pos, message }) => `${places.at(pos[0])} ${message}`) };
  const problems: Problem[] = [];
  const written: unknown = document.toJS();
  const parsed = fileSchema.safeParse(written);
  if (!parsed.success) problems.push(...problemsOf(parsed.error, written, Object.keys(fileSchema.shape)));
  const file_ = parsed.success ? parsed.data : salvage(written);
  const namespaces: Namespaces = { ...file_.namespaces, '': file_.defaultNamespace ?? '' };
  if (parsed.success && file_.rules.length === 0)
    problems.push({ path: ['rules'], message: 'at least one rule is expected' });

  const rules: Rule[] = [];
  for (const [index, each] of file_.rules.entries()) {
    const rule = ruleSchema.safeParse(each);
    const at = ['rules', index];
    const found = rule.success
      ? ruleProblems(rule.data, namespaces, rules)
      : problemsOf(rule.error, each, Object.keys(ruleSchema.shape));
    problems.push(...found.map((problem) => ({ ...problem, path: [...at, ...problem.path] })));
    if (rule.success) rules.push({ ...rule.data, place: places.of(document, at) });
  }
  if (problems.length > 0) return { problems: problems.map((problem) => places.format(document, problem)) };
  return { rules: { root: file_.root, namespaces, rules } };
}

/** The rules of a file that is wrong elsewhere, so that their problems are found in the same run. */
function salvage(written: unknown): z.output<typeof fileSchema> {
  const { rules, namespaces } = Object(written) as { rules?: unknown; namespaces?: unknown };
  const known = z.record(z.string(), z.string()).safeParse(namespaces);
  return { rules: Array.isArray(rules) ? rules : [], ...(known.success && { namespaces: known.data }) };
}

/** What a schema cannot say. */
function ruleProblems(rule: Written, namespaces: Namespaces, before: readonly Rule[]): Problem[] {
  const problems: Problem[] = [];
  const say = (message: string | undefined, ...path: string[]) => {
    if (message !== undefined) problems.push({ path, message });
  };
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
  return problems;
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
