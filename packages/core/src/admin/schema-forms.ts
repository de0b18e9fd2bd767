// JSON Schemas in forms that can be compared: references followed, alternatives apart, values and limits in the open.

export type Schema = Readonly<Record<string, unknown>>;

type Holds = (wide: unknown, narrow: unknown) => boolean;
const atMost: Holds = (wide, narrow) => narrow !== undefined && Number(wide) <= Number(narrow);
const atLeast: Holds = (wide, narrow) => narrow !== undefined && Number(wide) >= Number(narrow);

const constraints: Readonly<Record<string, Holds>> = {
  minimum: atMost,
  exclusiveMinimum: atMost,
  minLength: atMost,
  minItems: atMost,
  minProperties: atMost,
  maximum: atLeast,
  exclusiveMaximum: atLeast,
  maxLength: atLeast,
  maxItems: atLeast,
  maxProperties: atLeast,
  format: same,
  pattern: same,
  multipleOf: same,
  uniqueItems: same,
  contentEncoding: same,
  contentMediaType: same,
};

/** Keywords by which `wide` refuses what `narrow` allows. */
export function tightened(wide: Schema, narrow: Schema): string[] {
  // How a format is spelt out is the library's business.
  const spelling = wide.format !== undefined && wide.format === narrow.format;
  return Object.entries(constraints)
    .filter(([keyword, holds]) => wide[keyword] !== undefined && !holds(wide[keyword], narrow[keyword]))
    .map(([keyword]) => keyword)
    .filter((keyword) => keyword !== 'pattern' || !spelling);
}

/** One value as the narrowest schema of it. */
export function described(value: unknown, { pattern }: Schema): Schema {
  const type = typeOf(value);
  if (typeof value === 'number')
    return { type, minimum: value, maximum: value, exclusiveMinimum: value - 1, exclusiveMaximum: value + 1 };
  if (typeof value !== 'string') return { type };
  const fits = typeof pattern === 'string' && new RegExp(pattern).test(value);
  return { type, minLength: value.length, maxLength: value.length, ...(fits && { pattern }) };
}

/** A schema as the list of what it may be, each with one type at most. */
export function alternatives(schema: Schema, root: object): Schema[] {
  const { anyOf, oneOf, allOf, type, ...rest } = schema;
  const chosen = (anyOf ?? oneOf) as readonly unknown[] | undefined;
  const common = { ...rest, ...(type !== undefined && { type }) };
  if (allOf) {
    const merged = (allOf as readonly unknown[]).map((each) => resolve(each, root)).reduce(merge, common);
    return alternatives({ ...merged, ...(chosen && { anyOf: chosen }) }, root);
  }
  if (chosen) return chosen.flatMap((each) => alternatives(merge(common, resolve(each, root)), root));
  if (Array.isArray(type)) return type.map((each) => ({ ...rest, type: each }));
  return [common];
}

/** Both at once, as far as routes need it: the properties of either. */
function merge(a: Schema, b: Schema): Schema {
  const properties = { ...propertiesOf(a), ...propertiesOf(b) };
  const required = [...namesIn(a.required), ...namesIn(b.required)];
  return {
    ...a,
    ...b,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
}

/** A $ref into the document, or the schema itself; `true` takes everything and `false` nothing. */
export function resolve(schema: unknown, root: object): Schema {
  if (schema === true || schema === undefined) return {};
  if (schema === false) return { not: {} };
  const { $ref, ...rest } = schema as Schema;
  if (typeof $ref !== 'string') return schema as Schema;
  const found = $ref
    .replace(/^#\/?/, '')
    .split('/')
    .filter(Boolean)
    .reduce<unknown>((held, name) => Object(held)[name.replaceAll('~1', '/').replaceAll('~0', '~')], root);
  return { ...resolve(found, root), ...rest };
}

export function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const];
  if (schema.type === 'null') return [null];
  return schema.enum as readonly unknown[] | undefined;
}

export const propertiesOf = ({ properties = {} }: Schema) => properties as Readonly<Record<string, unknown>>;
export const namesIn = (required: unknown) => new Set((required ?? []) as readonly string[]);
export const placesOf = ({ prefixItems = [] }: Schema) => prefixItems as readonly unknown[];
export const isSchema = (value: unknown) => typeof value === 'object' && value !== null;
export const list = (values: readonly unknown[]) => values.map((each) => JSON.stringify(each) ?? 'none').join(', ');
export const typeName = ({ type }: Schema) => (type === undefined ? 'anything' : String(type));

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
