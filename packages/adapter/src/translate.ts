// The pure middle of the flow, decode -> select -> convert: from the bytes of a document to metric families.

import type { MetricFamily } from '@outrigger/core';
import { type Conversion, convert, type Drop, Dropped, type Row } from './convert.ts';
import { decode } from './decode.ts';
import type { Repair } from './encoding.ts';
import { errors } from './errors.ts';
import type { Rule, Rules } from './rules.ts';
import { compile, type Expression } from './select.ts';
import { type Document, rootElement } from './tree.ts';

export type Answer = { readonly bytes: Uint8Array; readonly charset?: string | undefined };

/** What became of one rule in one document. */
export type RuleReport = {
  readonly metric: string;
  readonly place: string;
  readonly path: string;
  readonly matched: number;
  readonly samples: number;
  readonly drops: Readonly<Partial<Record<Drop, number>>>;
  /** What was found at the first drop of each reason. */
  readonly examples: Readonly<Partial<Record<Drop, string>>>;
};

export type Translation = {
  readonly families: readonly MetricFamily[];
  readonly reports: readonly RuleReport[];
  readonly repairs: readonly Repair[];
};

type CompiledRule = {
  readonly rule: Rule;
  readonly path: Expression;
  readonly value: Expression | number;
  readonly labels: readonly (readonly [name: string, path: Expression])[];
  readonly conversion: Conversion;
};

export type CompiledRules = { readonly root: string | undefined; readonly rules: readonly CompiledRule[] };

export function compileRules({ root, namespaces, rules }: Rules): CompiledRules {
  const known = { ...namespaces, xml: 'http://www.w3.org/XML/1998/namespace' };
  return {
    root,
    rules: rules.map((rule) => ({
      rule,
      path: compile(rule.path, known),
      value: typeof rule.value === 'number' ? rule.value : compile(rule.value ?? '.', known),
      labels: Object.entries(rule.labels ?? {}).map(([name, path]) => [name, compile(path, known)] as const),
      conversion: {
        type: rule.type,
        format: rule.format ?? 'number',
        thousands: rule.thousands,
        decimal: rule.decimal ?? '.',
        scale: rule.scale ?? 1,
        map: rule.map ?? {},
        ignore: rule.ignore ?? [],
      },
    })),
  };
}

/** Throws a Fault when the document as a whole is wrong; a wrong value only costs its own sample. */
export function translate(answer: Answer, compiled: CompiledRules, seriesLimit: number): Translation {
  const { document, repairs } = decode(answer.bytes, answer.charset);
  const found = rootElement(document).name;
  if (compiled.root !== undefined && found !== compiled.root)
    throw errors.ADAPTER_DOCUMENT_ROOT({ found, expected: compiled.root });
  const families = new Map<string, Family>();
  const reports = compiled.rules.map((rule) => apply(rule, document, { families, seriesLimit }));
  const shown = [...families.values()].filter(({ samples }) => samples.length > 0);
  return { families: shown.map(({ seen: _, ...family }) => family), reports, repairs };
}

type Family = MetricFamily & { readonly samples: MetricFamily['samples'][number][]; readonly seen: Set<string> };
type Into = { readonly families: Map<string, Family>; readonly seriesLimit: number };

function apply(compiled: CompiledRule, document: Document, { families, seriesLimit }: Into): RuleReport {
  const { rule, path } = compiled;
  const names = compiled.labels.map(([name]) => name).sort();
  const drops: Partial<Record<Drop, number>> = {};
  const examples: Partial<Record<Drop, string>> = {};
  const drop = ({ reason, example }: Dropped, count = 1) => {
    drops[reason] = (drops[reason] ?? 0) + count;
    examples[reason] ??= example;
  };
  const family = familyOf(rule, families);
  const nodes = path.nodes(document);
  if (nodes.length === 0 && !rule.optional) drop(new Dropped('nothing_matched', rule.path));
  let samples = 0;
  for (const [index, node] of nodes.entries()) {
    // The first of the document survive: a choice that is the same in every scrape.
    if (samples >= seriesLimit) {
      drop(new Dropped('too_many_series', `more than ${seriesLimit}`), nodes.length - index);
      break;
    }
    const outcome = convert(rowOf(compiled, node), compiled.conversion);
    if (outcome instanceof Dropped) {
      if (!(rule.optional && outcome.reason === 'missing_value')) drop(outcome);
    } else if (outcome) {
      const identity = identityOf(outcome.labels, names);
      if (family.seen.has(identity)) drop(new Dropped('duplicate', JSON.stringify(outcome.labels)));
      else {
        family.seen.add(identity);
        family.samples.push(outcome);
        samples++;
      }
    }
  }
  const { metric, place } = rule;
  return { metric, place, path: rule.path, matched: nodes.length, samples, drops, examples };
}

function familyOf({ metric, type, help }: Rule, families: Map<string, Family>): Family {
  const known = families.get(metric);
  if (known) return known;
  const made: Family = { name: metric, type, help, samples: [], seen: new Set() };
  families.set(metric, made);
  return made;
}

function rowOf({ value, labels }: CompiledRule, node: Parameters<Expression['text']>[0]): Row {
  const found: Record<string, string | undefined> = {};
  for (const [name, path] of labels) found[name] = path.text(node);
  return { value: typeof value === 'number' ? value : value.text(node), labels: found };
}

/** To Prometheus an empty label is no label, and the order of labels is nothing. No label holds a NUL. */
function identityOf(labels: Readonly<Record<string, string>>, names: readonly string[]): string {
  let identity = '';
  for (const name of names) if (labels[name] !== '') identity += `${name}\0${labels[name]}\0`;
  return identity;
}
