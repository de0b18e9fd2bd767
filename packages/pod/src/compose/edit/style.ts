// How a document is written: new text is written the same way.

import { type Document, isMap, isScalar, isSeq, type Pair, visit } from 'yaml';
import { columnOf, indentOf } from './lines.ts';

export type Style = {
  readonly lineBreak: string;
  /** How far a map, and a list, is indented under its key. */
  readonly map: number;
  readonly list: number;
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
  let padded: boolean | undefined;
  let quote: Style['quote'] | undefined;
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !(isMap(value) || isSeq(value)) || value.flow) return;
      const deeper = columnOf(text, value.range![0]) - columnOf(text, key.range![0]);
      if (isMap(value)) map ??= Math.max(1, deeper);
      else list ??= Math.max(0, deeper);
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
