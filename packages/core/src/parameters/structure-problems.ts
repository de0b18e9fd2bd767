// What a schema finds wrong in a structure, in the house's words: the path, what is expected, the nearest known name.

import type * as z from 'zod/mini';
import { listed, nearest } from './nearest.ts';
import type { Path } from './parameter.ts';

export type Finding = {
  readonly path: Path;
  readonly message: string;
  /** What stands there instead; absent when nothing does. */
  readonly value?: unknown;
  /** The key itself is wrong and not what it holds. */
  readonly key?: boolean;
};

type Issue = z.core.$ZodIssue;
type Union = Extract<Issue, { readonly code: 'invalid_union' }>;
type Schema = z.core.$ZodType;
type Definition = {
  readonly type: string;
  readonly innerType?: Schema;
  readonly getter?: () => Schema;
  readonly in?: Schema;
  readonly options?: readonly Schema[];
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly catchall?: Schema;
  readonly element?: Schema;
  readonly valueType?: Schema;
  readonly items?: readonly Schema[];
  readonly rest?: Schema | null;
  readonly left?: Schema;
  readonly right?: Schema;
};

/** @param written what the schema was given */
export function findingsOf(error: z.core.$ZodError, schema: z.ZodMiniType, written: unknown): Finding[] {
  return error.issues.flatMap((issue) => explain(issue, { schemas: alternatives(schema), path: [], written }));
}

type Around = { readonly schemas: readonly Schema[]; readonly path: Path; readonly written: unknown };

/** @param around where the issue's own path starts */
function explain(issue: Issue, around: Around): Finding[] {
  const own = issue.path.map((each) => (typeof each === 'symbol' ? String(each) : each)) as Path;
  const path = [...around.path, ...own];
  const schemas = own.reduce(below, around.schemas);
  const value = own.reduce<unknown>((held, segment) => ownValue(held, segment), around.written);
  if (issue.code === 'unrecognized_keys') {
    const known = [...new Set(schemas.flatMap((schema) => Object.keys(definitionOf(schema).shape ?? {})))];
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known), key: true }));
  }
  if (issue.code === 'invalid_key') return [{ path, message: `as a key, ${expected(issue.issues[0]!)}`, key: true }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return nearestMember(issue, { schemas, path, written: value });
  if (value === undefined) return [{ path, message: `is missing: ${expected(issue)}` }];
  return [{ path, message: `${expected(issue)}${suggestion(issue, value)}`, value }];
}

const ownValue = (held: unknown, segment: string | number) =>
  typeof held === 'object' && held !== null && Object.hasOwn(held, segment)
    ? (held as Record<string | number, unknown>)[segment]
    : undefined;

/** A union's member that was most likely meant says what is wrong; when none fits at all, all say what they are. */
function nearestMember(union: Union, { schemas, path, written }: Around): Finding[] {
  const members = union.errors;
  const distances = members.map((issues) => issues.reduce((sum, issue) => sum + distance(issue), 0));
  const least = Math.min(...distances);
  if (least >= elsewhere || written === undefined) {
    const words = members.flatMap(([first]) => (first?.code === 'invalid_value' ? first.values.map(String) : []));
    const message = `${expected(union)}${didYouMean(written, words)}`;
    return [written === undefined ? { path, message: `is missing: ${message}` } : { path, message, value: written }];
  }
  const chosen = distances.indexOf(least);
  // The issues of a member come in the order of the union's options, which alternatives() keeps unless unions nest.
  const member = schemas.length === members.length ? alternatives(schemas[chosen]!) : schemas;
  return members[chosen]!.flatMap((issue) => explain(issue, { schemas: member, path, written }));
}

const elsewhere = 1000;

/** Another type altogether is far away, another word in the field that names the member is far, a detail is near. */
function distance(issue: Issue): number {
  if (issue.path.length === 0 && issue.code !== 'unrecognized_keys') return elsewhere;
  if (issue.code === 'invalid_value' && issue.path.length === 1) return 20;
  return issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1;
}

const definitionOf = (schema: Schema) => schema._zod.def as unknown as Definition;

/** A schema without what is wrapped around it; each member of a union. */
function alternatives(schema: Schema, depth = 0): Schema[] {
  const { innerType, getter, in: input, options, left, right } = definitionOf(schema);
  const inside = options ?? [innerType ?? getter?.() ?? input, left, right].filter((each) => each !== undefined);
  if (inside.length === 0 || depth > 20) return [schema];
  return inside.flatMap((each) => alternatives(each, depth + 1));
}

/** What schemas say about what stands under a key or an index. */
function below(schemas: readonly Schema[], segment: string | number): readonly Schema[] {
  return schemas.flatMap((schema) => {
    const { shape, catchall, element, valueType, items, rest } = definitionOf(schema);
    const inside =
      shape && Object.hasOwn(shape, segment)
        ? shape[segment]
        : (element ?? valueType ?? items?.[segment as number] ?? catchall ?? rest);
    return inside ? alternatives(inside) : [];
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const guess = nearest(key, known);
  if (guess) return `unknown; did you mean ${guess}?`;
  const shown = known.length > 20 ? [...known.slice(0, 20), '...'] : known;
  return known.length > 0 ? `unknown; known are ${shown.join(', ')}` : 'unknown';
}

function suggestion(issue: Issue, value: unknown): string {
  return didYouMean(value, issue.code === 'invalid_value' ? issue.values.map(String) : wordsOf(issue));
}

function didYouMean(value: unknown, words: readonly string[]): string {
  const guess = typeof value === 'string' ? nearest(value, words) : undefined;
  return guess ? `; did you mean ${guess}?` : '';
}

// The one field that tells a discriminated union's members apart.
const wordsOf = (issue: Issue) => ((issue as { options?: readonly unknown[] }).options ?? []).map(String);

function expected(issue: Issue): string {
  // zod/mini has no words of its own: any that are there are the schema author's.
  if (issue.message !== 'Invalid input') return issue.message;
  return `${wanted(issue)} is expected`;
}

/** What is expected, as a noun. */
function wanted(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return listed(issue.values.map(word));
    case 'invalid_union':
      return issue.errors.length > 0
        ? listed([...new Set(issue.errors.map(([first]) => wanted(first!)))])
        : listed(wordsOf(issue).map(word));
    case 'invalid_type':
      return nouns[issue.expected] ?? issue.expected;
    case 'too_small':
      return amount(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return amount(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return formatNoun(issue.format, issue.pattern);
    default:
      return 'another value';
  }
}

const word = (value: unknown) => (/^\w[\w.-]*$/.test(String(value)) ? String(value) : `"${String(value)}"`);

function amount(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'string') return `text of ${relation} ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `a list of ${relation} ${limit}`;
  if (origin === 'object' || origin === 'map') return `a mapping of ${relation} ${limit}`;
  return `a number of ${relation} ${limit}`;
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  record: 'a mapping',
  object: 'a mapping',
  null: 'nothing',
  never: 'nothing',
};

function formatNoun(format: string, pattern: string | undefined): string {
  if (format === 'regex') return `text matching ${pattern}`;
  if (format === 'url') return 'a URL';
  return format.includes('int') ? 'a whole number' : `text in the form of ${format}`;
}
