// New entries of a map or list in brackets.

import { indentOf } from './lines.ts';
import type { NewPair, Slot } from './plan.ts';
import { flowPair, flowText, jsonLines } from './render.ts';
import { jsonText } from './scalar.ts';
import type { Splice } from './splice.ts';
import type { Style } from './style.ts';
import type { Collection, Entry, Tree } from './tree.ts';

type FlowSlot = { readonly entry?: Entry } & (Slot | NewPair | object);

export function insertIntoFlow(tree: Tree, collection: Collection, slots: readonly FlowSlot[], style: Style): Splice[] {
  const layout = layoutOf(tree, collection, style);
  const parts = slots.map((slot) => (slot.entry ? undefined : textOf(slot as Slot | NewPair)));
  if (collection.entries.length === 0) {
    const at = collection.node.range![0] + 1;
    return [{ from: at, to: at, text: layout.open + parts.join(layout.between) + layout.close }];
  }
  const splices: Splice[] = [];
  let before: Entry | undefined;
  for (const [index, part] of parts.entries()) {
    before = slots[index]!.entry ?? before;
    if (part === undefined) continue;
    const at = before ? tree.endOf(before) : collection.entries[0]!.start;
    splices.push({ from: at, to: at, text: before ? layout.between + part : part + layout.between });
  }
  return splices;

  function textOf(slot: Slot | NewPair): string {
    const { json, lineBreak } = style;
    const value = slot.value!;
    if (!json || !layout.lines) return 'field' in slot ? flowPair(slot.field, value, style) : flowText(value, style);
    const lines = jsonLines(value, json, layout.indent, lineBreak);
    return 'field' in slot ? `${jsonText(slot.field)}: ${lines}` : lines;
  }
}

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
