// How a document is written: new text is written the same way.

import { type Document, isMap, isNode, isScalar, isSeq, type Pair, visit } from 'yaml';
import { columnOf, indentOf } from './lines.ts';
import type { ItemStyle } from './render.ts';
import type { Collection, Entry } from './tree.ts';

export type Style = {
  readonly lineBreak: string;
  /** How far a map, and a list, is indented under its key. */
  readonly map: number;
  readonly list: number;
  /** Spaces behind a dash. */
  readonly gap: number;
  /** Whether small maps are written in braces. */
  readonly compact: boolean;
  /** `{ a: 1 }` or `{a: 1}`. */
  readonly padded: boolean;
  readonly quote: "'" | '"';
  /** Set if the whole document is one flow map with quoted keys. */
  readonly json: JsonStyle | undefined;
};

export type JsonStyle = {
  /** What one level is indented by; undefined in a document of one line. */
  readonly indent: string | undefined;
  /** Without spaces. */
  readonly minified: boolean;
};

export function styleOf(text: string, document: Document.Parsed): Style {
  let [map, list]: (number | undefined)[] = [];
  let gap: number | undefined;
  let padded: boolean | undefined;
  let quote: Style['quote'] | undefined;
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !(isMap(value) || isSeq(value)) || value.flow) return;
      const deeper = columnOf(text, value.range![0]) - columnOf(text, key.range![0]);
      if (isMap(value)) map ??= Math.max(1, deeper);
      else list ??= Math.max(0, deeper);
    },
    Seq(_, { flow, range, items }) {
      if (!flow && isNode(items[0])) gap ??= gapOf(text, range![0], items[0].range![0]);
    },
    Map(_, { flow, range, items }) {
      if (flow && text[range![0]] === '{' && items.length > 0) padded ??= /\s/.test(text[range![0] + 1]!);
    },
    Scalar(_, { type }) {
      if (type === 'QUOTE_SINGLE') quote ??= "'";
      if (type === 'QUOTE_DOUBLE') quote ??= '"';
    },
  });
  return {
    lineBreak: /\r?\n/.exec(text)?.[0] ?? '\n',
    map: map ?? 2,
    list: list ?? map ?? 2,
    gap: gap ?? 1,
    compact: padded !== undefined,
    padded: padded ?? true,
    quote: quote ?? '"',
    json: jsonStyleOf(text, document),
  };
}

function jsonStyleOf(text: string, { contents }: Document.Parsed): JsonStyle | undefined {
  if (!isMap(contents) || !contents.flow) return undefined;
  const first = contents.items[0] as Pair | undefined;
  if (!isScalar(first?.key) || first.key.type !== 'QUOTE_DOUBLE') return undefined;
  const start = first.key.range![0];
  const own = indentOf(text, contents.range![0]);
  const pretty = text.slice(contents.range![0], start).includes('\n');
  const colon = /:(?=\S)/y;
  colon.lastIndex = first.key.range![1];
  return {
    indent: pretty ? indentOf(text, start).slice(own.length) : undefined,
    minified: colon.test(text),
  };
}

/** Of a map: indented as its other fields are. */
export function styleIn(text: string, { entries }: Collection, style: Style): Style {
  const found: { map?: number; list?: number } = {};
  for (const { start, value } of entries) {
    if (!(isMap(value) || isSeq(value)) || value.flow) continue;
    const deeper = columnOf(text, value.range![0]) - columnOf(text, start);
    if (isSeq(value)) found.list ??= deeper;
    else found.map ??= deeper;
  }
  return { ...style, ...found };
}

/** As the item beside it. */
export function itemStyleOf(text: string, { start, value }: Entry, style: Style): ItemStyle {
  const flow = isMap(value) || isSeq(value) ? value.flow === true : style.compact;
  const gap = value ? gapOf(text, start, value.range![0]) : undefined;
  return { indent: ' '.repeat(columnOf(text, start)), gap: gap ?? style.gap, flow };
}

/** Where the item starts on the line of its dash. */
function gapOf(text: string, dash: number, item: number): number | undefined {
  const between = /^-( +)$/.exec(text.slice(dash, item));
  return between ? between[1]!.length : undefined;
}
