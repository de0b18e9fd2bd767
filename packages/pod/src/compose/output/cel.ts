// JSON values and places as CEL, for the expressions of an admission policy.
//
// Kubernetes gives each structure a type named by its place, Object.spec.initContainers.resources, and does not take a map
// or list whose values are of several types: dyn() hides their types. Nothing but plain values may be in a map, because the
// API servers of 1.34 to 1.36 cannot convert a map inside a map.

import { isObject } from '../../manifest/path.ts';
import type { Place, Step } from '../addition.ts';
import { escapeKey } from './pointer.ts';
import { escapeUnprintable } from './unprintable.ts';

/** Fields of a Pod that hold a map with keys of the user's own. */
const maps = new Set([
  'annotations',
  'labels',
  'matchLabels',
  'nodeSelector',
  'limits',
  'requests',
  'volumeAttributes',
  'options',
]);

/** The words that CEL keeps for itself, which are no names of fields. */
const reserved = new Set(
  'as break const continue else false for function if import in let loop null package namespace return true var void while'.split(
    ' ',
  ),
);

/** @param type the place of the value, as fields: `spec.initContainers`. */
export function celValue(value: unknown, type: readonly string[], indent = ''): string {
  if (Array.isArray(value)) return listOf(value, type, indent);
  if (isObject(value)) return objectOf(value, type, indent);
  return typeof value === 'string' ? celString(value) : String(value);
}

/** JSON's escapes are a part of CEL's. */
export const celString = (text: string): string => escapeUnprintable(JSON.stringify(text.toWellFormed()));

function listOf(values: readonly unknown[], type: readonly string[], indent: string): string {
  const flat = values.every((value) => !isObject(value));
  const inner = `${indent}  `;
  const items = dynamic(values)(values.map((value) => celValue(value, type, flat ? indent : inner)));
  return flat ? `[${items.join(', ')}]` : `[\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}]`;
}

function objectOf(value: Record<string, unknown>, type: readonly string[], indent: string): string {
  // Absent is what null means; an API server cannot convert the null of CEL.
  const entries = Object.entries(value).filter(([, each]) => each !== undefined && each !== null);
  const isType = !maps.has(type.at(-1) ?? '') && entries.every(([key]) => isFieldName(key));
  const name = isType ? ['Object', ...type].join('.') : '';
  const flat = entries.every(([, each]) => !isObject(each));
  const inner = flat ? indent : `${indent}  `;
  const written = entries.map(([key, each]) => celValue(each, [...type, key], inner));
  const values = isType ? written : dynamic(entries.map(([, each]) => each))(written);
  const fields = entries.map(([key], index) => `${isType ? key : celString(key)}: ${values[index]}`);
  if (flat) return `${name}{${fields.join(', ')}}`;
  return `${name}{\n${fields.map((field) => `${inner}${field},\n`).join('')}${indent}}`;
}

const isFieldName = (key: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !reserved.has(key);

function dynamic(values: readonly unknown[]): (written: readonly string[]) => readonly string[] {
  const kinds = new Set(values.map((value) => (Array.isArray(value) ? 'list' : typeof value)));
  return (written) => (kinds.size > 1 ? written.map((each) => `dyn(${each})`) : written);
}

/** What is at a place of the Pod; an error where an item of that name is missing. */
const celAt = (place: Place): string =>
  place.reduce<string>(
    (text, step) =>
      typeof step === 'string' ? field(text, step) : `${text}.filter(c, c.name == ${celString(step.name)})[0]`,
    'object',
  );

const field = (text: string, name: string) => (isFieldName(name) ? `${text}.${name}` : `${text}[${celString(name)}]`);

/** Whether a map, which is there itself, has a field. */
export const celHas = (map: Place, name: string): string =>
  isFieldName(name) ? `has(${celAt([...map, name])})` : `${celString(name)} in ${celAt(map)}`;

const indexIn = (list: Place, name: string) => `${celAt(list)}.map(c, c.name).indexOf(${name})`;

/** The index of an item; an error when it is not there. */
export const celIndex = (list: Place, name: string): string => indexIn(list, `${celAt([...list, { name }])}.name`);

/**
 * A JSON pointer to a place and what follows it: a string, or strings put together with indices. Of an item that is not
 * there the index would be -1, which is the last one to a JSON patch: something around it has to ask with celAt.
 */
export function celPointer(place: Place, rest = ''): string {
  const parts: string[] = [];
  let text = '';
  for (const [index, step] of place.entries()) {
    if (typeof step === 'string') text += `/${escapeKey(step)}`;
    else {
      parts.push(celString(`${text}/`), `string(${indexIn(place.slice(0, index), celString(step.name))})`);
      text = '';
    }
  }
  if (text + rest) parts.push(celString(text + rest));
  return parts.join(' + ');
}

/** The types of a place name fields only. */
export const typeOf = (place: Place): string[] => place.filter((step: Step) => typeof step === 'string');
