import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { renderOpenApi } from '../src/admin/openapi.ts';
import { route } from '../src/index.ts';
import * as z from '../src/schema.ts';
import { type RunningSidecar, scratch, startSidecar, until } from '../src/testing/index.ts';

const shop = import.meta.resolve('./fixtures/shop.ts');
const json = { 'content-type': 'application/json' };
const answerOf = async (response: Response) => ({ status: response.status, body: await response.json() });
const post = (sidecar: RunningSidecar, path: string, body: string, headers: Record<string, string> = json) =>
  sidecar.post(path, { body, headers }).then(answerOf);

test('numbers, booleans and keys that repeat are read from a query as the schema says; other keys are left alone', async () => {
  await using sidecar = await startSidecar(shop, []);
  const ask = async (query: string) => (await sidecar.get(`/v1/items${query}`)).json();
  expect(await ask('')).toEqual({ loud: false, sort: 'up' });
  expect(await ask('?limit=3&loud&tag=a&tag=b&size=1.5&size=-2e1&sort=down&other=1&__proto__=x')).toEqual({
    limit: 3,
    loud: true,
    tag: ['a', 'b'],
    size: [1.5, -20],
    sort: 'down',
  });
  expect(await ask('?tag=a')).toEqual({ loud: false, sort: 'up', tag: ['a'] });
  expect(await ask('?page=last&level=2')).toMatchObject({ page: 'last', level: 2 });
  expect(await ask('?page=3')).toMatchObject({ page: 3 });
});

test('everything that is wrong with a request is reported at once, with its place and what is expected', async () => {
  await using sidecar = await startSidecar(shop, []);
  const wrong = await answerOf(await sidecar.get('/v1/items?limit=x&loud=perhaps&size=1&size=y&sort=sideways'));
  expect(wrong).toMatchObject({
    status: 400,
    body: {
      code: 'INVALID_REQUEST',
      errors: [
        { in: 'query', path: 'limit', message: '"x" is given: a number is expected' },
        { in: 'query', path: 'loud', message: '"perhaps" is given: true or false is expected' },
        { in: 'query', path: 'size.1', message: '"y" is given: a number is expected' },
        { in: 'query', path: 'sort', message: '"sideways" is given: up or down is expected' },
      ],
    },
  });
  expect((await answerOf(await sidecar.get('/v1/items?limit=1&limit=2'))).body).toMatchObject({
    errors: [{ in: 'query', path: 'limit', message: '["1","2"] is given: a number is expected' }],
  });
  expect((await answerOf(await sidecar.get('/v1/items?limit=101'))).body).toMatchObject({
    errors: [{ path: 'limit', message: '101 is given: a number of at most 100 is expected' }],
  });
  expect((await answerOf(await sidecar.get('/v1/items?limit=1.5&page=middle&level=3'))).body).toMatchObject({
    errors: [
      { path: 'limit', message: '1.5 is given: a whole number is expected' },
      { path: 'page', message: '"middle" is given: a number or first or last is expected' },
      { path: 'level', message: '3 is given: 1 or 2 is expected' },
    ],
  });
  for (const number of ['0x10', 'Infinity', '', '%20', '1.', '.5', '1e'])
    expect((await sidecar.get(`/v1/items?limit=${number}`)).status).toBe(400);
});

test('path parameters have types', async () => {
  await using sidecar = await startSidecar(shop, []);
  expect(await answerOf(await sidecar.get('/v1/items/7'))).toEqual({ status: 200, body: { id: 7 } });
  expect((await answerOf(await sidecar.get('/v1/items/seven'))).body).toMatchObject({
    errors: [{ in: 'path', path: 'id', message: '"seven" is given: a number is expected' }],
  });
  expect((await answerOf(await sidecar.get('/v1/names/a%2Fb%20c'))).body).toEqual({ name: 'a/b c' });
  expect((await sidecar.post('/v1/items/7', { method: 'DELETE' })).status).toBe(204);
});

test('a body must be JSON and say so, be as described and not too large', async () => {
  await using sidecar = await startSidecar(shop, []);
  const item = JSON.stringify({ name: 'tea', price: 2.5, other: true });
  expect(await post(sidecar, '/v1/items', item)).toEqual({ status: 201, body: { name: 'tea', price: 2.5 } });
  for (const type of ['application/json; charset=utf-8', 'application/vnd.shop+json', 'Application/JSON'])
    expect((await post(sidecar, '/v1/items', item, { 'content-type': type })).status).toBe(201);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', ''])
    expect(await post(sidecar, '/v1/items', item, { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'MEDIA_TYPE' },
    });
  expect(await post(sidecar, '/v1/items', '{"name":')).toMatchObject({ status: 400, body: { code: 'INVALID_JSON' } });
  expect(await post(sidecar, '/v1/items', '{"name":"","price":"2"}')).toMatchObject({
    status: 400,
    body: {
      code: 'INVALID_REQUEST',
      errors: [
        { in: 'body', path: 'name', message: '"" is given: text of at least 1 characters is expected' },
        { in: 'body', path: 'price', message: '"2" is given: a number is expected' },
      ],
    },
  });
  expect(await answerOf(await sidecar.post('/v1/items'))).toMatchObject({
    status: 400,
    body: { errors: [{ in: 'body', path: '', message: 'is missing: a mapping is expected' }] },
  });
  const large = JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024), price: 1 });
  expect(await post(sidecar, '/v1/items', large)).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  expect(await answerOf(await sidecar.post('/v1/notes'))).toEqual({ status: 200, body: { text: 'none' } });
  expect((await post(sidecar, '/v1/notes', '{"text":"a"}')).body).toEqual({ text: 'a' });
});

test('a route answers 503 with Retry-After until start has ended', async () => {
  await using sidecar = await startSidecar(shop, ['--slow-start'], { wait: false });
  await until(() => sidecar.url, { what: 'the admin listener' });
  const early = await sidecar.get('/v1/items');
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await early.json()).toMatchObject({ code: 'STARTING' });
  expect(await (await sidecar.get('/v1')).json()).toMatchObject({ phase: 'starting' });
});

test('a deprecated route says so in headers (also of its errors), in a metric, and once in the log', async () => {
  await using sidecar = await startSidecar(shop, []);
  const metric = async () =>
    /^outrigger_deprecated_requests_total\{route="GET \/v1\/offers"\} (\d+)$/m.exec(
      await (await sidecar.get('/metrics')).text(),
    )?.[1];
  expect(await metric()).toBe('0');
  for (const [query, status] of [
    ['', 200],
    ['?fail=true', 409],
    ['?fail=maybe', 400],
  ] as const) {
    const response = await sidecar.get(`/v1/offers${query}`);
    expect(response.status).toBe(status);
    expect(response.headers.get('deprecation')).toBe(`@${Date.UTC(2026, 10, 1) / 1000}`);
    expect(response.headers.get('sunset')).toBe('Sat, 01 May 2027 12:00:00 GMT');
    expect(response.headers.get('link')).toBe(
      '<https://example.com/offers>; rel="deprecation"; type="text/html", </v2/offers>; rel="successor-version"',
    );
  }
  expect(await metric()).toBe('3');
  const large = JSON.stringify({ name: 'x'.repeat(2 * 1024 * 1024) });
  const refused = await sidecar.post('/v1/offers', { body: large, headers: { 'content-type': 'application/json' } });
  expect([refused.status, refused.headers.has('deprecation')]).toEqual([413, true]);
  const said = sidecar.logs().filter(({ message }) => message === 'A deprecated route of the API is in use');
  expect(said).toMatchObject([
    { level: 'warn', route: 'GET /v1/offers', successor: '/v2/offers' },
    { level: 'warn', route: 'POST /v1/offers' },
  ]);
  expect((await sidecar.get('/v2/offers')).headers.get('deprecation')).toBe(null);
});

test('versions follow from the routes, and an unknown one is answered by those there are', async () => {
  await using sidecar = await startSidecar(shop, []);
  const self = (await (await sidecar.get('/v1')).json()) as { apiVersions: string[]; links: string[] };
  expect(self.apiVersions).toEqual(['v1', 'v2']);
  expect(self.links).toEqual(expect.arrayContaining(['/readyz', '/metrics', '/v1/budget', '/v1/items', '/v2/offers']));
  expect(await answerOf(await sidecar.get('/v3/offers'))).toMatchObject({
    status: 404,
    body: { code: 'UNKNOWN_VERSION', versions: ['v1', 'v2'] },
  });
  expect(await answerOf(await sidecar.get('/v2/items'))).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
});

test('POST /v1/parameters/reload reads the parameters again, or says why they are refused', async () => {
  await using directory = await scratch();
  const file = directory.join('config.yaml');
  await writeFile(file, 'greeting: false\n');
  await using sidecar = await startSidecar(shop, ['--config', file]);
  await writeFile(file, 'greeting: true\nslowStart: true\n');
  // The file is watched as well: who comes second finds nothing new.
  const reload = async () => answerOf(await sidecar.post('/v1/parameters/reload'));
  expect(await reload()).toMatchObject({
    status: 200,
    body: { needRestart: [{ name: '--slow-start', key: 'slowStart', to: 'true' }] },
  });
  const parameters = (await (await sidecar.get('/v1/parameters')).json()) as Record<string, { value: unknown }>;
  expect(parameters.greeting?.value).toBe('true');
  await writeFile(file, 'greeting: perhaps\n');
  expect(await reload()).toMatchObject({
    status: 422,
    body: { code: 'PARAMETERS', problems: [{ parameter: '--greeting', source: expect.stringContaining(file) }] },
  });
  const budget = (await (await sidecar.get('/v1/budget')).json()) as Record<string, number>;
  expect(budget.limit).toBeGreaterThan(budget.buffers!);
});

test('GET never changes anything, and a changing route keeps the guard', async () => {
  await using sidecar = await startSidecar(shop, []);
  expect((await sidecar.get('/v1/parameters/reload')).status).toBe(405);
  const foreign = await sidecar.post('/v1/items', { headers: { ...json, origin: 'http://evil.example' }, body: '{}' });
  expect(foreign.status).toBe(403);
});

test('the description is valid, complete, and says what is deprecated, required, repeated and recursive', async () => {
  await using sidecar = await startSidecar(shop, []);
  const api = (await (await sidecar.get('/openapi.json')).json()) as Description;
  expect((await new Validator().validate(api)).errors).toBeUndefined();
  const operation = (path: string, method = 'get') => api.paths[path]![method]!;
  expect(operation('/v1/offers').deprecated).toBe(true);
  expect(operation('/v1/offers').responses[200]!.headers).toHaveProperty('Deprecation');
  expect(operation('/v1/items', 'post').requestBody).toMatchObject({ required: true });
  expect(operation('/v1/notes', 'post').requestBody).toMatchObject({ required: false });
  expect(Object.keys(operation('/v1/items', 'post').responses)).toEqual(
    expect.arrayContaining(['201', '400', '401', '403', '409', '413', '415', 'default']),
  );
  expect(operation('/v1/items/{id}', 'delete').responses[204]).toEqual({ description: 'Done' });
  expect(operation('/v1/items').parameters).toContainEqual({
    name: 'tag',
    in: 'query',
    required: false,
    schema: { type: 'array', items: { type: 'string' } },
  });
  expect(operation('/v1/names/{name}').parameters).toMatchObject([{ name: 'name', in: 'path', required: true }]);
  expect(operation('/v1/events').responses[200]!.content).toHaveProperty('text/event-stream');
  expect(operation('/v1/tree').responses[200]!.content).toMatchObject({
    'application/json': { schema: { $ref: '#/components/schemas/Tree' } },
  });
  expect(api.components.schemas.Tree).toMatchObject({
    properties: { parts: { items: { $ref: '#/components/schemas/Tree' } } },
  });
  for (const operations of Object.values(api.paths))
    for (const each of Object.values(operations)) expect(each).toMatchObject({ tags: [expect.any(String)] });
});

type Description = {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
};
type Operation = {
  readonly deprecated?: boolean;
  readonly parameters: readonly object[];
  readonly requestBody?: object;
  readonly responses: Record<string, { readonly headers?: object; readonly content?: object }>;
};

test('what cannot be described is said to whoever declares it', () => {
  const described = (routes: Record<string, unknown>) => () =>
    renderOpenApi({
      name: 'x',
      summary: 'X',
      version: '1.0.0',
      parameters: {},
      start: () => undefined,
      routes,
    } as never);
  const empty = z.object({});
  const a = route({ summary: 'A', response: empty, handle: () => ({}) });
  expect(described({ 'GET /v1/ab': a, 'GET /v1/a-b': a })).not.toThrow();
  expect(described({ 'GET /v1/a-b': a, 'GET /v1/a/b': a })).toThrow('are both named GETV1AB');
  const [one, two] = [z.string(), z.object({})].map((schema) => {
    schema.register(z.globalRegistry, { id: 'Twin' });
    return route({ summary: 'T', response: z.object({ twin: schema }), handle: () => ({ twin: 'a' }) });
  });
  expect(described({ 'GET /v1/one': one, 'GET /v1/two': two })).toThrow('Two schemas are named Twin');
  const other = route({ summary: 'A', path: z.object({ name: z.string() }), response: empty, handle: () => ({}) });
  expect(described({ 'GET /v1/{id}': other })).toThrow('The names in /v1/{id} and in its path schema differ: name, id');
  const self = z.object({
    get inner() {
      return z.optional(self);
    },
  });
  expect(described({ 'GET /v1/self': route({ summary: 'S', response: self, handle: () => ({}) }) })).toThrow(
    'needs an id',
  );
});

test('malformed query strings and paths are refused and not fatal', async () => {
  await using sidecar = await startSidecar(shop, []);
  const { port } = new URL(sidecar.url);
  const raw = (target: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.end(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`),
      );
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text.split('\r\n', 1)[0]!)).on('error', reject);
    });
  expect(await raw('/v1/items?limit=%')).toContain('400');
  expect(await raw('/v1/items?%ff=%ff&&&=&=x')).toContain('200');
  expect(await raw('/v1/items/%')).toContain('400');
  expect((await sidecar.get('/livez')).status).toBe(200);
});
