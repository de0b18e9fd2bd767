// A value as text: in block style by lines, in flow style or as JSON by words.

import { jsonText, scalarText } from './scalar.ts';
import type { JsonStyle, Style } from './style.ts';

export type Value = null | boolean | number | string | Value[] | { [field: string]: Value };

const width = 120;

const isCollection = (value: Value): value is Value[] | { [field: string]: Value } =>
  typeof value === 'object' && value !== null;

const isEmpty = (value: Value) => isCollection(value) && Object.keys(value).length === 0;

/** A field of a block map; `literal`: whether a block scalar may stand there. */
export function blockPair(field: string, value: Value, indent: string, style: Style, literal: boolean): string[] {
  const key = keyText(field, indent, style);
  const lines = typeof value === 'string' && literal ? literalLines(value, indent + ' '.repeat(style.map)) : undefined;
  if (lines) return [`${key} ${lines[0]}`, ...lines.slice(1)];
  const oneLine = `${key} ${lineText(value, style)}`;
  if (!isCollection(value) || (isShort(value, style) && oneLine.length <= width)) return [oneLine];
  return openPair(field, value, indent, style, literal);
}

/** A field whose map or list is in block style, however short. */
export function openPair(field: string, value: Value, indent: string, style: Style, literal: boolean): string[] {
  const inner = indent + ' '.repeat(Array.isArray(value) ? style.list : style.map);
  return [keyText(field, indent, style), ...blockLines(value, inner, style, literal)];
}

const keyText = (field: string, indent: string, { quote }: Style) =>
  `${indent}${scalarText(field, { flow: false, quote })}:`;

/** What stands behind a key or a dash, in one line. */
const lineText = (value: Value, style: Style) =>
  isCollection(value) ? flowText(value, style) : scalarText(value, { flow: false, quote: style.quote });

export function blockLines(value: Value, indent: string, style: Style, literal: boolean): string[] {
  if (Array.isArray(value))
    return value.flatMap((item) => blockItem(item, { indent, gap: style.gap, flow: style.compact }, style, literal));
  return Object.entries(value as object).flatMap(([field, each]) => blockPair(field, each, indent, style, literal));
}

export type ItemStyle = { readonly indent: string; readonly gap: number; readonly flow: boolean };

/** An item of a block list. */
export function blockItem(item: Value, { indent, gap, flow }: ItemStyle, style: Style, literal: boolean): string[] {
  const oneLine = `${indent}-${' '.repeat(gap)}${lineText(item, style)}`;
  if (!isCollection(item) || isEmpty(item) || (flow && oneLine.length <= width)) return [oneLine];
  const inner = `${indent} ${' '.repeat(gap)}`;
  const [first, ...rest] = blockLines(item, inner, style, literal);
  return [`${indent}-${first!.slice(indent.length + 1)}`, ...rest];
}

/** Whether people write it in one line: a few simple words, or a small map in a file that has others like it. */
function isShort(value: Value[] | { [field: string]: Value }, style: Style): boolean {
  if (isEmpty(value)) return true;
  if (Array.isArray(value))
    return (
      value.length <= 4 && value.every((each) => typeof each === 'number' || /^[\w./][\w./-]*$/.test(String(each)))
    );
  return (
    style.compact &&
    Object.values(value).every((each) => (isCollection(each) ? isShort(each, style) : !String(each).includes('\n')))
  );
}

export function flowText(value: Value, style: Style): string {
  if (style.json) return jsonLine(value, style.json);
  if (!isCollection(value)) return scalarText(value, { flow: true, quote: style.quote });
  if (Array.isArray(value)) return `[${value.map((each) => flowText(each, style)).join(', ')}]`;
  const pairs = Object.entries(value).map(([field, each]) => flowPair(field, each, style));
  const padding = style.padded && pairs.length > 0 ? ' ' : '';
  return `{${padding}${pairs.join(', ')}${padding}}`;
}

export function flowPair(field: string, value: Value, style: Style): string {
  const key = style.json ? jsonText(field) : scalarText(field, { flow: true, quote: style.quote });
  return `${key}:${style.json?.minified ? '' : ' '}${flowText(value, style)}`;
}

function jsonLine(value: Value, json: JsonStyle): string {
  if (typeof value === 'string') return jsonText(value);
  if (!isCollection(value)) return JSON.stringify(value);
  const [comma, colon] = json.minified ? [',', ':'] : [', ', ': '];
  if (Array.isArray(value)) return `[${value.map((each) => jsonLine(each, json)).join(comma)}]`;
  const pairs = Object.entries(value).map(([field, each]) => `${jsonText(field)}${colon}${jsonLine(each, json)}`);
  return `{${pairs.join(comma)}}`;
}

/** As JSON.stringify does, lines after the first indented by `indent` more. */
export function jsonLines(value: Value, json: JsonStyle, indent: string, lineBreak: string): string {
  if (!isCollection(value) || isEmpty(value) || json.indent === undefined) return jsonLine(value, json);
  const inner = indent + json.indent;
  const parts = Array.isArray(value)
    ? value.map((each) => jsonLines(each, json, inner, lineBreak))
    : Object.entries(value).map(([field, each]) => `${jsonText(field)}: ${jsonLines(each, json, inner, lineBreak)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return [open, parts.map((part) => inner + part).join(`,${lineBreak}`), indent + close].join(lineBreak);
}

/** As a block scalar, where the text is one of several lines that no reader takes for anything else. */
function literalLines(text: string, indent: string): string[] | undefined {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (!body.includes('\n') && body === text) return undefined;
  if (/^[\s]|\n$|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|[ \t]$/.test(body) || body === '')
    return undefined;
  if (!text.isWellFormed()) return undefined;
  return [body === text ? '|-' : '|', ...body.split('\n').map((line) => (line === '' ? '' : indent + line))];
}
