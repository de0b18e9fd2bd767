// A plan as the text that is put in.

import { insertIntoFlow } from './insert-flow.ts';
import { columnOf, endWithComments, indentOf, lineStart } from './lines.ts';
import type { Change, Fill, Plan, Slot } from './plan.ts';
import { blockItem, blockLines, blockPair, flowText, jsonLines, openPair, type Value } from './render.ts';
import type { Splice } from './splice.ts';
import { itemStyleOf, type Style, styleIn } from './style.ts';
import { type Collection, type Entry, headerEnd, type Tree } from './tree.ts';

/** What goes to one place goes there inside out: what is put into an inner list before what follows the outer one. */
type Insertion = Splice & { readonly start: number };

/** New entries in a row, and the one before them. */
export type Run = { readonly before: Entry | undefined; readonly slots: readonly Slot[] };

export function insertionsOf(tree: Tree, { changes, fills }: Plan, style: Style): Splice[] {
  const { text } = tree;
  const insertions: Insertion[] = [];
  for (const [collection, change] of changes) {
    const runs = runsOf(change.slots);
    const splices = collection.flow
      ? insertIntoFlow(tree, collection, runs, style)
      : runs.map((run) => insertIntoBlock(collection, change, run));
    insertions.push(...splices.map((each) => ({ ...each, start: collection.node.range![0] })));
  }
  for (const [entry, fill] of fills)
    insertions.push(...fillWith(entry, fill).map((each) => ({ ...each, start: headerEnd(entry.tokens) })));
  return insertions.toSorted((a, b) => a.from - b.from || b.start - a.start);

  function insertIntoBlock(collection: Collection, { holder }: Change, { before, slots }: Run): Splice {
    const first = collection.entries[0]!;
    const column = columnAt(first.start);
    if (!before && !holder) throw tree.fail('A list that is no field can not be edited', first.start);
    const at = before ? behind(before, column) : endWithComments(text, headerEnd(holder!.tokens), column);
    if (collection.kind === 'list') {
      const like = itemStyleOf(text, before ?? first, style);
      return linesAt(at, (literal) => slots.flatMap(({ value }) => blockItem(value!, like, style, literal)));
    }
    const indent = ' '.repeat(column);
    const near = styleIn(text, collection, style);
    return linesAt(at, (literal) =>
      slots.flatMap(({ id, value, made }) => (made ? openPair : blockPair)(id!, value!, indent, near, literal)),
    );
  }

  /** The lines go under the field, and what gives way goes. */
  function fillWith({ tokens, start, value: old }: Entry, { collection, value }: Fill): Splice[] {
    if (collection.flow) return [{ from: old!.range![0], to: old!.range![1], text: inPlace(value, start) }];
    const column = columnAt(start);
    const near = styleIn(text, collection, style);
    const indent = ' '.repeat(column + (Array.isArray(value) ? near.list : near.map));
    const end = headerEnd(tokens);
    const lines = linesAt(endWithComments(text, end, column), (literal) => blockLines(value, indent, near, literal));
    return tokens.value ? [{ from: end, to: old!.range![1], text: '' }, lines] : [lines];
  }

  function inPlace(value: Value, offset: number): string {
    const { json, lineBreak } = style;
    const isAlone = text.slice(lineStart(text, offset), offset).trim() === '';
    return json && isAlone ? jsonLines(value, json, indentOf(text, offset), lineBreak) : flowText(value, style);
  }

  function linesAt(at: number, lines: (literal: boolean) => string[]): Splice {
    const next = /\r?\n/y;
    next.lastIndex = at;
    const lineBreak = next.exec(text)?.[0] ?? style.lineBreak;
    const inserted = lines(mayBeLiteral(text, at)).map((line) => lineBreak + line);
    return { from: at, to: at, text: inserted.join('') };
  }

  /** The end of the line, or of the comments under it, behind an entry. */
  function behind(entry: Entry, column: number): number {
    const at = endWithComments(text, tree.endOf(entry), column);
    if (at === text.length && tree.endsWithBreak(entry))
      throw tree.fail('The text that ends the file has no line break at its end: add one', text.length);
    return at;
  }

  function columnAt(offset: number): number {
    const column = columnOf(text, offset);
    if (text.slice(offset - column, offset).includes('\t')) throw tree.fail('A tab indents it', offset);
    return column;
  }
}

function runsOf(slots: readonly Slot[]): Run[] {
  const runs: { before: Entry | undefined; slots: Slot[] }[] = [];
  for (const [index, slot] of slots.entries()) {
    if (slot.entry) continue;
    const last = slots[index - 1];
    if (last && !last.entry) runs.at(-1)!.slots.push(slot);
    else runs.push({ before: last?.entry, slots: [slot] });
  }
  return runs;
}

/** Under a block scalar, neither the end of the text may follow nor a line of spaces, which would be of it. */
function mayBeLiteral(text: string, at: number): boolean {
  const rest = /(?:\r?\n[ \t]*(?=\r?\n|$))*(?:\r?\n)?/y;
  rest.lastIndex = at;
  const [blank] = rest.exec(text)!;
  return blank !== '' && !/[ \t]/.test(blank);
}
