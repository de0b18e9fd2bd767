import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ApiDescription, incompatibilities } from '../src/admin/compatibility.ts';
import { renderOpenApi } from '../src/admin/openapi.ts';
import { Schemas } from '../src/admin/schemas.ts';
import { route } from '../src/index.ts';
import * as z from '../src/schema.ts';
import { scratch } from '../src/testing/index.ts';
import { routes } from './fixtures/shop-routes.ts';

const sidecar = { name: 'x', summary: 'X', version: '1.0.0', parameters: {}, start: () => undefined };
const api = (declared: Record<string, unknown>) => renderOpenApi({ ...sidecar, routes: declared } as never);

type Change = Readonly<Record<string, unknown>>;
const request = 'POST /v1/things/{id}';
const inner = z.object({ a: z.string(), b: z.optional(z.int()) });
const thing = {
  id: z.int(),
  state: z.enum(['on', 'off']),
  note: z.optional(z.string()),
  time: z.iso.datetime(),
  size: z.nullable(z.number()),
  inner,
  list: z.array(inner),
  map: z.record(z.string(), z.int()),
  either: z.union([z.int(), z.enum(['none'])]),
};
const body = {
  name: z.string(),
  mode: z.enum(['fast', 'slow']),
  extra: z.optional(z.int()),
  tags: z.array(z.string()),
};
const query = {
  limit: z.optional(z.int()),
  q: z.optional(z.string()),
  order: z._default(z.enum(['up', 'down']), 'up'),
};

/** The same route with some of its parts otherwise. */
const declared = ({ response = {}, sent = {}, asked = {}, ...rest }: Record<string, Change> = {}) => ({
  [request]: {
    ...route({
      summary: 'A thing',
      path: z.object({ id: z.int() }),
      query: z.object(defined({ ...query, ...asked }) as never),
      body: z.object(defined({ ...body, ...sent }) as never),
      response: z.object(defined({ ...thing, ...response }) as never),
      handle: () => ({}) as never,
    }),
    ...rest.route,
  },
});
const defined = (fields: Change) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const before = api(declared());
const gone = undefined;
const answer = 'POST /v1/things/{id} 200 application/json';
const given = 'POST /v1/things/{id} body application/json';
const asked = 'POST /v1/things/{id} query';

describe('breaks a promise:', () => {
  test.each<[string, Record<string, Change>, string[]]>([
    ['a property of an answer removed', { response: { state: gone } }, [`${answer} state: removed`]],
    ['an optional one removed', { response: { note: gone } }, [`${answer} note: removed`]],
    ['one that may be missing now', { response: { id: z.optional(z.int()) } }, [`${answer} id: may be missing now`]],
    ['one that may be null now', { response: { id: z.nullable(z.int()) } }, [`${answer} id: null can come now`]],
    ['another type', { response: { note: z.optional(z.int()) } }, [`${answer} note: string is now integer`]],
    ['a wider type', { response: { id: z.number() } }, [`${answer} id: integer is now number`]],
    ['a format lost', { response: { time: z.string() } }, [`${answer} time: format "date-time" is now none`]],
    [
      'a new value in an answer',
      { response: { state: z.enum(['on', 'off', 'odd']) } },
      [`${answer} state: "odd" can come now`],
    ],
    [
      'a value that never comes',
      { response: { state: z.enum(['on']) } },
      [`${answer} state: "off" can never come now`],
    ],
    [
      'an enum that is open now',
      { response: { state: z.string() } },
      [`${answer} state: more than "on", "off" can come now`],
    ],
    ['deep in an object', { response: { inner: z.object({ a: z.string() }) } }, [`${answer} inner.b: removed`]],
    [
      'deep in a list',
      { response: { list: z.array(z.object({ a: z.int(), b: z.optional(z.int()) })) } },
      [`${answer} list[].a: string is now integer`],
    ],
    [
      'values of a map',
      { response: { map: z.record(z.string(), z.string()) } },
      [`${answer} map.*: integer is now string`],
    ],
    ['a list instead of one', { response: { inner: z.array(inner) } }, [`${answer} inner: object is now array`]],
    [
      'another alternative',
      { response: { either: z.union([z.int(), z.enum(['none']), z.boolean()]) } },
      [expect.stringContaining('either')],
    ],
    ['a property required in a body', { sent: { extra: z.int() } }, [`${given} extra: required now`]],
    ['a new one required', { sent: { more: z.int() } }, [`${given} more: new and required`]],
    ['one not read any more', { sent: { extra: gone } }, [`${given} extra: removed`]],
    [
      'a narrower body',
      { sent: { name: z.string().check(z.maxLength(5)) } },
      [`${given} name: maxLength none is now 5`],
    ],
    [
      'a format demanded',
      { sent: { name: z.email() } },
      expect.arrayContaining([`${given} name: format none is now "email"`]),
    ],
    ['another type in a body', { sent: { name: z.int() } }, [`${given} name: string is now integer`]],
    ['a value no longer taken', { sent: { mode: z.enum(['fast']) } }, [`${given} mode: "slow" is not taken any more`]],
    ['elements of another type', { sent: { tags: z.array(z.int()) } }, [`${given} tags[]: string is now integer`]],
    ['a strict body', { route: { body: z.strictObject(body) } }, [`${given} *: anything else is not taken any more`]],
    ['a new required query key', { asked: { more: z.string() } }, [`${asked} more: new and required`]],
    ['a query key required', { asked: { q: z.string() } }, [`${asked} q: required now`]],
    ['a query key removed', { asked: { q: gone } }, [`${asked} q: removed`]],
    ['a narrower query key', { asked: { q: z.optional(z.int()) } }, [`${asked} q: string is now integer`]],
    [
      'another default',
      { asked: { order: z._default(z.enum(['up', 'down']), 'down') } },
      [`${asked} order: default "up" is now "down"`],
    ],
    [
      'another status',
      { route: { status: 201 } },
      ['POST /v1/things/{id} 200: removed', 'POST /v1/things/{id} 201: a new status of success'],
    ],
    [
      'another operationId',
      { route: { operationId: 'thing' } },
      [expect.stringContaining('operationId POSTV1ThingsId is now thing')],
    ],
    ['another content type', { route: { media: 'text/html' } }, [`${answer}: removed`]],
    [
      'no body any more',
      { route: { body: gone } },
      [
        'POST /v1/things/{id} body: removed',
        ...['400', '413', '415'].slice(1).map((status) => `POST /v1/things/{id} ${status}: removed`),
      ],
    ],
    [
      'an answer to nothing',
      { route: { response: gone } },
      ['POST /v1/things/{id} 200: removed', 'POST /v1/things/{id} 204: a new status of success'],
    ],
  ])('%s', (_, change, expected) => {
    expect(incompatibilities(before, api(declared(change)))).toEqual(expected);
  });

  test('a route, method or path removed', () => {
    expect(incompatibilities(before, api({}))).toEqual([`${request}: removed`]);
    const { [request]: only } = declared();
    expect(incompatibilities(before, api({ 'PUT /v1/things/{id}': only }))).toEqual([`${request}: removed`]);
    expect(incompatibilities(before, api({ 'POST /v2/things/{id}': only }))).toEqual([`${request}: removed`]);
  });

  test('credentials demanded where none were, a header of an answer removed', () => {
    const old = structuredClone(before) as unknown as Loose;
    old.paths['/v1/things/{id}'].post.responses[200].headers = { ETag: {} };
    const now = structuredClone(before) as unknown as Loose;
    now.paths['/v1/things/{id}'].post.security = [{ token: [] }];
    expect(incompatibilities(old, now)).toEqual([
      `${request}: credentials are required now`,
      `${request} 200 header ETag: removed`,
    ]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a description that a test changes by hand
type Loose = ApiDescription & { paths: any };

describe('keeps every promise:', () => {
  test.each<[string, Record<string, Change>]>([
    ['nothing changed', {}],
    ['a new property in an answer', { response: { more: z.int() } }],
    ['a new optional one', { response: { more: z.optional(z.object({ x: z.int() })) } }],
    ['one that is always there now', { response: { note: z.string() } }],
    ['one that is never null now', { response: { size: z.number() } }],
    ['a narrower answer', { response: { size: z.nullable(z.int()) } }],
    ['a format promised', { response: { note: z.optional(z.iso.datetime()) } }],
    ['a new property deep in an answer', { response: { list: z.array(z.object({ ...inner.def.shape, c: z.int() })) } }],
    ['a new optional property in a body', { sent: { more: z.optional(z.int()) } }],
    ['one with a default', { sent: { more: z._default(z.int(), 3) } }],
    ['a property optional now', { sent: { name: z.optional(z.string()) } }],
    ['a wider body', { sent: { extra: z.optional(z.number()), mode: z.enum(['fast', 'slow', 'odd']) } }],
    ['an open enum in a body', { sent: { mode: z.string() } }],
    ['null taken in a body', { sent: { name: z.nullable(z.string()) } }],
    ['a body optional now', { route: { body: z.optional(z.object(body)) } }],
    ['a new optional query key', { asked: { more: z.optional(z.boolean()) } }],
    ['a number that may be any text now', { asked: { limit: z.optional(z.string()) } }],
    ['a query key that may repeat now', { asked: { q: z.optional(z.array(z.string())) } }],
    ['a new error', { route: { problems: { 409: 'THING_TAKEN' } } }],
    ['deprecated', { route: { deprecated: { since: '2026-11-01', sunset: '2027-11-01' } } }],
    ['said otherwise', { route: { summary: 'Some thing', description: 'At length' } }],
  ])('%s', (_, change) => {
    expect(incompatibilities(before, api(declared(change)))).toEqual([]);
  });

  test('a new route, a new version, a schema that has a name now', () => {
    const named = z.object({ a: z.string(), b: z.optional(z.int()) });
    named.register(z.globalRegistry, { id: 'Inner' });
    const after = api({
      ...declared({ response: { inner: named, list: z.array(named) } }),
      'GET /v1/more': route({ summary: 'More', response: z.array(z.string()), handle: () => [] }),
      'GET /v2/things': route({ summary: 'Other', response: z.int(), handle: () => 1 }),
    });
    expect(JSON.stringify(after.paths)).toContain('#/components/schemas/Inner');
    expect(incompatibilities(before, after)).toEqual([]);
    expect(incompatibilities(after, before)).toEqual(['GET /v1/more: removed', 'GET /v2/things: removed']);
  });
});

test('a schema that holds itself is compared to its end', () => {
  const tree = api(routes);
  expect(incompatibilities(tree, tree)).toEqual([]);
  const other = structuredClone(tree) as unknown as {
    components: { schemas: { Tree: { properties: { name: object } } } };
  };
  other.components.schemas.Tree.properties.name = { type: 'integer' };
  expect(incompatibilities(tree, other as never)).toEqual([
    'GET /v1/tree 200 application/json name: string is now integer',
  ]);
});

// Schemas of a small dialect, with the values that they have.
type Made = { readonly schema: z.ZodMiniType; readonly value: fc.Arbitrary<unknown> };
const leaf = fc.oneof(
  fc.constant<Made>({ schema: z.string(), value: fc.string() }),
  fc.constant<Made>({ schema: z.int(), value: fc.maxSafeInteger() }),
  fc.constant<Made>({ schema: z.number(), value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
  fc.constant<Made>({ schema: z.boolean(), value: fc.boolean() }),
  fc.constant<Made>({ schema: z.null(), value: fc.constant(null) }),
  fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })).map(([min, more]) => ({
    schema: z.string().check(z.minLength(min), z.maxLength(min + more)),
    value: fc.string({ minLength: min, maxLength: min + more, unit: fc.constantFrom('a', 'b') }),
  })),
  fc
    .uniqueArray(fc.constantFrom('a', 'bb', 'ccc'), { minLength: 1 })
    .map((values) => ({ schema: z.enum(values as [string]), value: fc.constantFrom(...values) })),
);
const { made } = fc.letrec<{ made: Made }>((tie) => ({
  made: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('made').map(({ schema, value }) => ({ schema: z.array(schema), value: fc.array(value, { maxLength: 3 }) })),
    tie('made').map(({ schema, value }) => ({ schema: z.nullable(schema), value: fc.option(value) })),
    fc
      .tuple(tie('made'), tie('made'))
      .map(([a, b]) => ({ schema: z.union([a.schema, b.schema]), value: fc.oneof(a.value, b.value) })),
    fc
      .dictionary(fc.constantFrom('x', 'y', 'z'), fc.tuple(tie('made'), fc.boolean()), { maxKeys: 3 })
      .map((fields) => objectOf(Object.entries(fields))),
  ),
}));

const objectOf = (fields: readonly (readonly [string, readonly [Made, boolean]])[]): Made => ({
  schema: z.object(
    Object.fromEntries(fields.map(([name, [{ schema }, needed]]) => [name, needed ? schema : z.optional(schema)])),
  ),
  value: fc.record(Object.fromEntries(fields.map(([name, [{ value }]]) => [name, value])), {
    requiredKeys: fields.filter(([, [, needed]]) => needed).map(([name]) => name),
  }),
});

const content = (schema: z.ZodMiniType, io: 'input' | 'output') => ({
  content: { 'application/json': { schema: new Schemas({}).of(schema, io) } },
});
const answering = (schema: z.ZodMiniType): ApiDescription => ({
  paths: { '/v1/x': { get: { responses: { 200: content(schema, 'output') } } } },
});
const taking = (schema: z.ZodMiniType): ApiDescription => ({
  paths: { '/v1/x': { post: { requestBody: { required: true, ...content(schema, 'input') } } } },
});

const soundness = { numRuns: 1_500 };

test('no answer surprises a client when nothing was found, whatever the schemas', () => {
  let compatible = 0;
  fc.assert(
    fc.property(made, made, fc.integer(), (old, now, seed) => {
      if (incompatibilities(answering(old.schema), answering(now.schema)).length > 0) return;
      compatible += 1;
      for (const value of fc.sample(now.value, { seed, numRuns: 20 }))
        expect(old.schema.safeParse(value).success).toBe(true);
    }),
    soundness,
  );
  expect(compatible).toBeGreaterThan(20);
});

test('nothing that a client sent is refused when nothing was found, whatever the schemas', () => {
  let compatible = 0;
  fc.assert(
    fc.property(made, made, fc.integer(), (old, now, seed) => {
      if (incompatibilities(taking(old.schema), taking(now.schema)).length > 0) return;
      compatible += 1;
      for (const value of fc.sample(old.value, { seed, numRuns: 20 }))
        expect(now.schema.safeParse(value).success).toBe(true);
    }),
    soundness,
  );
  expect(compatible).toBeGreaterThan(20);
});

test('every schema is compatible with itself, and with itself and one more optional property', () => {
  fc.assert(
    fc.property(made, made, ({ schema }, more) => {
      const grown = [schema, z.object({ in: schema, more: z.optional(more.schema) })] as const;
      for (const describe of [answering, taking]) {
        expect(incompatibilities(describe(schema), describe(schema))).toEqual([]);
        expect(incompatibilities(describe(z.object({ in: schema })), describe(grown[1]))).toEqual([]);
      }
    }),
    { numRuns: 200 },
  );
});

test('generate refuses to overwrite a description with an incompatible one, and says why', async () => {
  await using directory = await scratch();
  const source = (response: string) =>
    `import { defineSidecar, route } from ${JSON.stringify(import.meta.resolve('../src/index.ts'))};
     import * as z from ${JSON.stringify(import.meta.resolve('../src/schema.ts'))};
     const routes = { 'GET /v1/x': route({ summary: 'X', response: z.object(${response}), handle: () => ({}) }) };
     export const sidecar = defineSidecar({ name: 'x', summary: 'X', version: '1.0.0', parameters: {}, routes, start() {} });`;
  const generate = () => {
    const script = fileURLToPath(import.meta.resolve('../scripts/generate.ts'));
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: directory.path, encoding: 'utf8' });
    return { status, stderr };
  };
  await mkdir(directory.join('src'));
  await writeFile(directory.join('package.json'), '{"type":"module"}');
  await writeFile(directory.join('README.md'), '# x\n');
  const write = (response: string) => writeFile(directory.join('src/sidecar.ts'), source(response));
  const written = () => readFile(directory.join('openapi.json'), 'utf8');

  await write('{ a: z.string(), b: z.int() }');
  expect(generate()).toEqual({ status: 0, stderr: '' });
  const first = await written();
  await write('{ a: z.optional(z.string()) }');
  expect(generate()).toEqual({
    status: 1,
    stderr: [
      'x: the API may not change like this within a version',
      '  GET /v1/x 200 application/json b: removed',
      '  GET /v1/x 200 application/json a: may be missing now',
      '',
    ].join('\n'),
  });
  expect(await written()).toBe(first);
  await write('{ a: z.string(), b: z.int(), c: z.optional(z.string()) }');
  expect(generate().status).toBe(0);
  expect(await written()).not.toBe(first);
});
