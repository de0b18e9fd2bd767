// Fields by their path: names parted by dots, in quotes where a name holds one.

import type { Fields, Records } from '../records.ts';

export { namesOf } from '../condition/one-test.ts';

export type Names = readonly string[];

/** What lies at a path; undefined where there is nothing. Nothing is inherited. */
export function fieldAt(value: unknown, names: Names): unknown {
  let at = value;
  for (const name of names) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Fields)[name];
  }
  return at;
}

/** A copy without what lies at a path; the same where there is nothing. */
export function withoutField(fields: Fields, names: Names): Fields {
  const [name = '', ...rest] = names;
  if (fieldAt(fields, names) === undefined) return fields;
  if (rest.length > 0) return withField(fields, [name], withoutField(fields[name] as Fields, rest));
  return Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name));
}

/** A copy with a value at a path. What stands in the way, because it is no object, is replaced. */
export function withField(fields: Fields, names: Names, value: unknown): Fields {
  const [name = '', ...rest] = names;
  const before = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const inner = rest.length === 0 ? value : withField(isObject(before) ? before : {}, rest, value);
  // A computed name is a field of its own even where it is __proto__.
  return { ...fields, [name]: inner };
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

/** What a record has at a path, wherever it has it. */
export function fieldOf(records: Records, index: number, names: Names): unknown {
  const name = names[0]!;
  const own = records.own.get(index);
  if (own && Object.hasOwn(own, name)) return fieldAt(own, names);
  if (Object.hasOwn(records.common, name)) return fieldAt(records.common, names);
  const fields = records.fields?.[index];
  if (fields) return fieldAt(fields, names);
  return names.length === 1 && name === records.lineField ? records.line(index).toString() : undefined;
}

/** Changes the fields of each record, and those that were put beside them. A line that could not be read stays whole. */
export function changeFields(records: Records, change: (fields: Fields) => Fields): void {
  records.materialise();
  const { fields, own } = records;
  for (let index = 0; fields && index < fields.length; index++) {
    const found = fields[index];
    if (found && !records.dropped(index) && own.get(index)?.parse_error === undefined) fields[index] = change(found);
  }
  for (const [index, found] of own) own.set(index, change(found));
  records.common = change(records.common);
}
