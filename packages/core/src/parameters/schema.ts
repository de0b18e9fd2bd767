// JSON Schema (draft 2020-12) of the config file, rendered from the declaration.

import { entriesOf, fileKey } from './names.ts';
import type { JsonSchema, Parameters } from './parameter.ts';

/** Nothing is required here: what the file leaves out may come from flags or the environment. */
export function renderSchema(title: string, parameters: Parameters): JsonSchema {
  const properties = entriesOf(parameters)
    .filter(({ key }) => key !== 'config')
    .map((entry) => {
      const { parameter } = entry;
      const { default: written, help } = parameter;
      return [
        fileKey(entry),
        { description: help, ...parameter.schema, ...(written !== undefined && { default: written }) },
      ];
    });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}
