// One route as an OpenAPI operation.

import { type Route, splitRequest, successOf } from './route.ts';
import type { Schemas } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of the routes that every sidecar has. They answer also while the sidecar starts. */
export const standardTag = 'sidecar';

export const Problem: Json = {
  type: 'object',
  description: 'RFC 9457 problem details with a stable code',
  required: ['status', 'title', 'code', 'detail'],
  properties: {
    status: { type: 'integer' },
    title: { type: 'string' },
    code: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string' },
    errors: {
      type: 'array',
      description: 'With INVALID_REQUEST: each thing that is wrong',
      items: {
        type: 'object',
        required: ['in', 'path', 'message'],
        properties: { in: { type: 'string' }, path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

export function describeRoute(request: string, route: Route<never>, tag: string, schemas: Schemas): object {
  const { method, path } = splitRequest(request);
  const { summary, description, body, deprecated } = route;
  return {
    operationId: route.operationId ?? operationId(request),
    summary,
    ...(description && { description }),
    tags: [tag],
    ...(deprecated && { deprecated: true }),
    parameters: parametersOf(path, route, schemas),
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { 'application/json': { schema: schemas.of(body, 'input') } },
      },
    }),
    ...(method !== 'GET' && { security: [{}, { token: [] }] }),
    responses: {
      [successOf(route)]: success(route, schemas),
      ...problemsOf(method, route, tag !== standardTag),
    },
  };
}

const operationId = (request: string) =>
  request.replace(/[^A-Za-z0-9]+(.)?/g, (_, letter?: string) => letter?.toUpperCase() ?? '');

function success({ media, response, deprecated }: Route<never>, schemas: Schemas): object {
  const headers = deprecated && {
    headers: {
      Deprecation: { description: 'Since when, RFC 9745', schema: { type: 'string' } },
      ...(deprecated.sunset && { Sunset: { description: 'Until when, RFC 8594', schema: { type: 'string' } } }),
    },
  };
  if (media !== 'application/json')
    return { description: texts[media], ...headers, content: { [media]: { schema: { type: 'string' } } } };
  if (!response) return { description: 'Done', ...headers };
  const schema = schemas.of(response, 'output');
  return { description: 'As asked', ...headers, content: { 'application/json': { schema } } };
}

const texts = {
  'text/html': 'The page',
  'text/plain': 'The text',
  'text/event-stream':
    'Events with id, event (the type) and data (a JSON object with the time and what else there is to say), without end',
};

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** Problems that many routes have. */
export const commonProblems: Readonly<Record<string, object>> = {
  Invalid: problem('INVALID_REQUEST: `errors` says what is wrong; INVALID_JSON: the body is not JSON'),
  Unauthorized: problem('TOKEN: a token is configured, and this is not it'),
  Forbidden: problem('LOOPBACK_ONLY, FOREIGN_HOST or FOREIGN_ORIGIN: who asks may not change anything'),
  TooLarge: problem('BODY_TOO_LARGE: at most 1 MiB is taken'),
  MediaType: problem('MEDIA_TYPE: the body must be application/json'),
  Starting: problem('STARTING: Retry-After says when to come again'),
  Other: problem('Any other error'),
};

const common = (name: string) => ({ $ref: `#/components/responses/${name}` });

/** By status, when each error comes. */
function problemsOf(method: string, { path, query, body, problems = {} }: Route<never>, own: boolean): object {
  return {
    ...((path || query || body) && { 400: common('Invalid') }),
    ...(method !== 'GET' && { 401: common('Unauthorized'), 403: common('Forbidden') }),
    ...(body && { 413: common('TooLarge'), 415: common('MediaType') }),
    ...(own && { 503: common('Starting') }),
    ...Object.fromEntries(Object.entries(problems).map(([status, said]) => [status, problem(said)])),
    default: common('Other'),
  };
}

function parametersOf(template: string, { path, query, headers = {} }: Route<never>, schemas: Schemas): object[] {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const strings = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  const declared: Described = path ? (schemas.of(path, 'input') as Described) : { properties: strings };
  const unknown = Object.keys(declared.properties ?? {}).filter((name) => !names.includes(name));
  const missing = names.filter((name) => !declared.properties?.[name]);
  if (unknown.length + missing.length > 0)
    throw new Error(`The names in ${template} and in its path schema differ: ${[...unknown, ...missing].join(', ')}`);
  return [
    ...parametersIn('path', declared),
    ...(query ? parametersIn('query', schemas.of(query, 'input')) : []),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
}

type Described = { readonly properties?: Readonly<Record<string, Json>>; readonly required?: readonly string[] };

const parametersIn = (place: 'path' | 'query', { properties = {}, required = [] }: Described): object[] =>
  Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }));
