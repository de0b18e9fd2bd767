// JSON Schema (draft 2020-12) of the config file, rendered from the declaration.

import * as z from 'zod/mini';
import { bootstrap, type Entry, entriesOf } from './names.ts';
import type { JsonSchema, Parameters } from './parameter.ts';

/** Nothing is required here: what the file leaves out may come from flags, the environment or annotations. */
export function renderSchema(title: string, parameters: Parameters): JsonSchema {
  const entries = entriesOf(parameters).filter(({ key }) => !bootstrap.has(key));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    type: 'object',
    properties: Object.fromEntries(entries.flatMap(propertiesOf)),
    additionalProperties: false,
  };
}

function propertiesOf({ key, fileKey, parameter, former }: Entry): [string, JsonSchema][] {
  const { default: written, help, deprecated, nested } = parameter;
  const described = {
    description: help,
    ...parameter.schema,
    ...(written !== undefined && { default: written }),
    ...(typeof deprecated === 'string' && { deprecated: true }),
  };
  return [
    [fileKey, described],
    ...former.keys.map((name): [string, JsonSchema] => [name, { ...described, deprecated: true }]),
    ...(nested ? [[key, { description: help, ...structureSchema(nested.schema, key) }] as [string, JsonSchema]] : []),
  ];
}

function structureSchema(schema: z.ZodMiniType, key: string): JsonSchema {
  const { $schema, ...rendered } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', cycles: 'ref' });
  // What it refers to in itself now stands deeper.
  const pointer = `#/properties/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return JSON.parse(JSON.stringify(rendered), (name, value: unknown) =>
    name === '$ref' && typeof value === 'string' ? value.replace(/^#/, pointer) : value,
  ) as JsonSchema;
}
