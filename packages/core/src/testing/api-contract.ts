// What the API of every sidecar keeps to: the answers are those that openapi.json describes.

import { expect, test } from 'vitest';
import * as z from 'zod';
import type { Started } from './contract.ts';

type Json = Readonly<Record<string, unknown>>;
type Api = {
  readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
  readonly components: { readonly schemas: Json };
};
type Operation = {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
};
type Content = { readonly schema: Json };

export function apiContract(started: Started): void {
  test('every answer in JSON is as openapi.json describes it, and says nothing else', async () => {
    await using running = await started();
    const { sidecar } = running;
    const api = (await (await sidecar.get('/openapi.json')).json()) as Api;
    const described = Object.entries(api.paths).flatMap(([path, { get }]) => {
      const schema = get?.responses[200]?.content?.['application/json']?.schema;
      return schema && !path.includes('{') ? [{ path, schema }] : [];
    });
    expect(described.length).toBeGreaterThan(4);
    for (const { path, schema } of described) {
      const answer = await (await sidecar.get(path)).json();
      const { error } = z.fromJSONSchema(closed(schema, api.components.schemas)).safeParse(answer);
      expect({ path, wrong: error?.issues }).toEqual({ path, wrong: undefined });
    }
  });
}

/** The description leaves room for additions. What this very version answers must be in it. */
function closed(schema: Json, components: Json): Json {
  return JSON.parse(JSON.stringify({ ...schema, $defs: components }), (key, value: unknown) => {
    if (key === '$ref') return String(value).replace('#/components/schemas/', '#/$defs/');
    const { type, properties, additionalProperties } = Object(value) as Json;
    const isOpen = type === 'object' && properties !== undefined && additionalProperties === undefined;
    return isOpen ? { ...Object(value), additionalProperties: false } : value;
  }) as Json;
}
