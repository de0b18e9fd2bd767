// What is wrong in the rules file, as `file:line:column path: message`.

import { nearest } from '@outrigger/core';
import type * as z from '@outrigger/core/schema';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode } from 'yaml';

type Segment = string | number;
export type Problem = {
  readonly path: readonly Segment[];
  readonly message: string;
  /** The key itself is wrong and not what it holds. */
  readonly key?: boolean;
};

/** Where things stand in a file. */
export class Places {
  readonly lines = new LineCounter();
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }

  /** Of what a path leads to, or of the last thing on the way that is there. */
  of(document: Document.Parsed, path: readonly Segment[], key = false): string {
    return this.at(offsetOf(document, path, key));
  }

  format(document: Document.Parsed, { path, message, key = false }: Problem): string {
    const name = path.map((each) => (typeof each === 'number' ? `[${each}]` : `.${each}`)).join('');
    return `${this.of(document, path, key)} ${name ? `${name.replace(/^\./, '')}: ` : ''}${message}`;
  }
}

function offsetOf(document: Document.Parsed, path: readonly Segment[], key: boolean): number {
  let node: unknown = document.contents;
  let offset = rangeOf(node) ?? 0;
  for (const [index, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === segment);
      if (!pair) break;
      node = key && index === path.length - 1 ? pair.key : (pair.value ?? pair.key);
    } else if (isSeq(node) && typeof segment === 'number') node = node.items[segment];
    else break;
    offset = rangeOf(node) ?? offset;
  }
  return offset;
}

const rangeOf = (node: unknown) => (node as Node | undefined)?.range?.[0];

type Issue = z.core.$ZodIssue;

/** The schema's findings in the house's words; a misspelt key comes with the nearest one there is. */
export function problemsOf(error: z.core.$ZodError, written: unknown, keys: readonly string[]): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map((each) => (typeof each === 'symbol' ? String(each) : each));
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((name) => ({ path: [...path, name], message: unknownKey(name, keys), key: true }));
    const value = path.reduce<unknown>((held, segment) => Object(held)[segment], written);
    return [{ path, message: value === undefined ? `is missing: ${expected(issue)}` : wrong(issue, value) }];
  });
}

function unknownKey(name: string, keys: readonly string[]): string {
  const guess = nearest(name, keys);
  return `unknown${guess ? `; did you mean ${guess}?` : `; known are ${keys.join(', ')}`}`;
}

function wrong(issue: Issue, value: unknown): string {
  const guess = issue.code === 'invalid_value' && nearest(String(value), issue.values.map(String));
  return `${expected(issue)}, not ${shown(value)}${guess ? `; did you mean ${guess}?` : ''}`;
}

function expected(issue: Issue): string {
  if (issue.code === 'invalid_value') {
    const words = issue.values.map((each) => (/^\w+$/.test(String(each)) ? String(each) : `"${String(each)}"`));
    return `${words.join(', ').replace(/, ([^ ]*)$/, ' or $1')} is expected`;
  }
  if (issue.code === 'invalid_type') return `${nouns[issue.expected] ?? issue.expected} is expected`;
  if (issue.code === 'invalid_union') return 'a path or a number is expected';
  return issue.message;
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  record: 'a mapping',
  object: 'a mapping',
};

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
