// A plan as the text that is put in.

import { isMap, isSeq } from 'yaml';
import { insertIntoFlow } from './insert-flow.ts';
import { columnOf, endWithComments, indentOf, lineEnd, lineStart } from './lines.ts';
import type { Fill, NewPair, Plan, Slot } from './plan.ts';
import {
  blockItem,
  blockLines,
  blockPair,
  flowText,
  type ItemStyle,
  jsonLines,
  openPair,
  type Value,
} from './render.ts';
import type { Splice } from './splice.ts';
import type { Style } from './style.ts';
import { type Collection, type Entry, headerEnd, type Tree } from './tree.ts';

/** What is put in at one place goes there inside out: what belongs into an inner list before what follows the outer. */
type Insertion = Splice & { readonly start: number };

export function insertionsOf(tree: Tree, plan: Plan, style: Style): Splice[] {
  const { text } = tree;
  const insertions: Insertion[] = [];
  for (const [collection, { slots, entry }] of plan.lists) {
    const list = collection.flow ? insertIntoFlow(tree, collection, slots, style) : intoList(collection, slots, entry);
    insertions.push(...list.map((each) => ({ ...each, start: collection.node.range![0] })));
  }
  for (const [collection, pairs] of plan.maps) {
    const slots = [...collection.entries.map((entry) => ({ entry })), ...pairs];
    const list = collection.flow ? insertIntoFlow(tree, collection, slots, style) : [intoMap(collection, pairs)];
    insertions.push(...list.map((each) => ({ ...each, start: collection.node.range![0] })));
  }
  for (const fill of plan.fills.values())
    insertions.push(...fillWith(fill).map((each) => ({ ...each, start: headerEnd(fill.entry.tokens) })));
  return insertions.toSorted((a, b) => a.from - b.from || b.start - a.start);

  function intoList(collection: Collection, slots: readonly Slot[], list: Entry | undefined): Splice[] {
    const first = collection.entries[0]!;
    const column = columnAt(first.start);
    const splices: Splice[] = [];
    let before: Entry | undefined;
    let values: Slot[] = [];
    for (const slot of [...slots, undefined]) {
      if (slot && !slot.entry) {
        values.push(slot);
        continue;
      }
      if (values.length > 0) {
        if (!before && !list) throw tree.fail('A list that is no field can not be edited', first.start);
        const at = before ? behind(before, column) : endWithComments(text, headerEnd(list!.tokens), column);
        const like = itemStyleOf(before ?? first, column);
        splices.push(linesAt(at, (literal) => values.flatMap(({ value }) => blockItem(value!, like, style, literal))));
        values = [];
      }
      before = slot?.entry;
    }
    return splices;
  }

  function intoMap(collection: Collection, pairs: readonly NewPair[]): Splice {
    const column = columnAt(collection.entries[0]!.start);
    const indent = ' '.repeat(column);
    const near = { ...style, ...indentsIn(collection) };
    const at = behind(collection.entries.at(-1)!, column);
    return linesAt(at, (literal) =>
      pairs.flatMap(({ field, value, made }) => (made ? openPair : blockPair)(field, value, indent, near, literal)),
    );
  }

  function fillWith({ collection, entry, value }: Fill): Splice[] {
    const { value: old, tokens, start } = entry;
    if (collection.flow) return [{ from: old!.range![0], to: old!.range![1], text: inPlace(value, start) }];
    const column = columnAt(start);
    const near = { ...style, ...indentsIn(collection) };
    const indent = ' '.repeat(column + (Array.isArray(value) ? near.list : near.map));
    const end = headerEnd(tokens);
    const at = endWithComments(text, end, column);
    const lines = linesAt(at, (literal) => blockLines(value, indent, near, literal));
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

  /** As the item beside it. */
  function itemStyleOf({ start, value }: Entry, column: number): ItemStyle {
    const indent = ' '.repeat(column);
    const inner = value?.range?.[0] ?? 0;
    const onLine = inner > start && inner <= lineEnd(text, start) && /^-[ ]+$/.test(text.slice(start, inner));
    const flow = isMap(value) || isSeq(value) ? value.flow === true : style.compact;
    return { indent, gap: onLine ? inner - start - 1 : 1, flow };
  }

  /** How far the other fields of the map indent what is in them. */
  function indentsIn({ entries }: Collection): Partial<Style> {
    const found: { map?: number; list?: number } = {};
    for (const { start, value } of entries) {
      if (!(isMap(value) || isSeq(value)) || value.flow) continue;
      const deeper = columnOf(text, value.range![0]) - columnOf(text, start);
      if (isSeq(value)) found.list ??= deeper;
      else found.map ??= deeper;
    }
    return found;
  }
}

/** Under a block scalar, neither the end of the text may follow nor a line of spaces, which would be of it. */
function mayBeLiteral(text: string, at: number): boolean {
  const rest = /(?:\r?\n[ \t]*(?=\r?\n|$))*(?:\r?\n)?/y;
  rest.lastIndex = at;
  const [blank] = rest.exec(text)!;
  return blank !== '' && !/[ \t]/.test(blank) && (at + blank.length < text.length || blank.endsWith('\n'));
}
