// New entries of a map or list in brackets.

import type { Run } from './insert.ts';
import { indentOf } from './lines.ts';
import type { Slot } from './plan.ts';
import { flowPair, flowText, jsonLines } from './render.ts';
import { jsonText } from './scalar.ts';
import type { Splice } from './splice.ts';
import type { Style } from './style.ts';
import type { Collection, Tree } from './tree.ts';

export function insertIntoFlow(tree: Tree, collection: Collection, runs: readonly Run[], style: Style): Splice[] {
  const { open, between, close, lines, indent } = layoutOf(tree, collection, style);
  const first = collection.entries[0];
  return runs.map(({ before, slots }) => {
    const text = slots.map(textOf).join(between);
    if (before) return insertion(tree.endOf(before), between + text);
    return first
      ? insertion(first.start, text + between)
      : insertion(collection.node.range![0] + 1, open + text + close);
  });

  function textOf({ id, value }: Slot): string {
    const { json, lineBreak } = style;
    if (!json || !lines) return collection.kind === 'map' ? flowPair(id!, value!, style) : flowText(value!, style);
    const text = jsonLines(value!, json, indent, lineBreak);
    return collection.kind === 'map' ? `${jsonText(id!)}: ${text}` : text;
  }
}

const insertion = (at: number, text: string): Splice => ({ from: at, to: at, text });

type Layout = {
  readonly open: string;
  readonly between: string;
  readonly close: string;
  /** Whether an entry may take several lines, indented by `indent`. */
  readonly lines: boolean;
  readonly indent: string;
};

function layoutOf(tree: Tree, { node, kind, entries }: Collection, { json, padded, lineBreak }: Style): Layout {
  const { text } = tree;
  const [start, end] = node.range!;
  const own = indentOf(text, start);
  const first = entries[0];
  if (!first) {
    const isBare = end - start === 2;
    const indent = own + (json?.indent ?? '');
    if (isBare && json?.indent !== undefined)
      return {
        open: lineBreak + indent,
        between: `,${lineBreak}${indent}`,
        close: lineBreak + own,
        lines: true,
        indent,
      };
    const padding = isBare && kind === 'map' && padded && !json ? ' ' : '';
    return { open: padding, between: json?.minified ? ',' : ', ', close: padding, lines: false, indent: own };
  }
  const lead = text.slice(start + 1, first.start);
  const indent = indentOf(text, first.start);
  const lines = json?.indent !== undefined && text.slice(start, end).includes('\n');
  if (/^\s*\n\s*$/.test(lead)) return { open: '', between: `,${lead}`, close: '', lines, indent };
  const second = entries[1];
  const isTight = second ? text[second.start - 1] === ',' : json?.minified;
  return { open: '', between: isTight ? ',' : ', ', close: '', lines, indent };
}
