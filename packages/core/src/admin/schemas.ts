// JSON Schemas of the routes. What was registered with an id is described once, under components.

import * as z from 'zod/mini';
import type { Schema } from './route.ts';

type Json = Readonly<Record<string, unknown>>;
type Position = 'input' | 'output';

export class Schemas {
  readonly #components: Record<string, Json>;

  constructor(components: Readonly<Record<string, Json>>) {
    this.#components = { ...components };
  }

  get components(): Readonly<Record<string, Json>> {
    return this.#components;
  }

  /**
   * Within it, a schema with an id is a $ref to a component of that name; where it is read and not written, which may
   * differ in defaults, to `<id>Input`. Throws for two schemas of one name, and for one that holds itself without an id.
   */
  of(schema: Schema, io: Position): Json {
    const {
      $schema,
      $defs = {},
      ...root
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override({ jsonSchema, zodSchema }) {
        open(jsonSchema, zodSchema._zod.def);
        // The format says it, in fewer words than its regular expression.
        if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      },
    }) as Record<string, unknown> & { $defs?: Record<string, Json> };
    const nameOf = (id: string) => (io === 'input' ? `${id}Input` : id);
    for (const [id, definition] of Object.entries($defs)) this.#add(nameOf(id), withRefs(definition, nameOf));
    return withRefs(root, nameOf);
  }

  #add(name: string, definition: Json): void {
    const { id, ...described } = definition;
    const known = this.#components[name];
    if (known && JSON.stringify(known) !== JSON.stringify(described))
      throw new Error(`Two schemas are named ${name}: give one another id`);
    this.#components[name] = described;
  }
}

type Definition = { readonly type: string; readonly catchall?: { readonly _zod: { readonly def: Definition } } };

/** Within a version things are added: unless a schema was made strict, its description must not say that this is all. */
function open(jsonSchema: { additionalProperties?: unknown }, definition: object): void {
  const { type, catchall } = definition as Definition;
  if (type === 'object' && catchall?._zod.def.type !== 'never' && jsonSchema.additionalProperties === false)
    delete jsonSchema.additionalProperties;
}

function withRefs(schema: Json, nameOf: (id: string) => string): Json {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (key !== '$ref' || typeof value !== 'string') return value;
    const id = /^#\/\$defs\/(?!__schema)(.+)$/.exec(value)?.[1];
    if (id === undefined) throw new Error('A schema that holds itself needs an id: register it with z.globalRegistry');
    return `#/components/schemas/${nameOf(id)}`;
  }) as Json;
}
