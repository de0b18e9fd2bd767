// OpenAPI 3.1 of the whole API, rendered from the declared routes.

import * as z from 'zod/mini';
import type { AnySidecar } from '../sidecar.ts';
import { type Route, route, splitRequest } from './route.ts';

const phase = z.enum(['starting', 'serving', 'leaving', 'stopping']);
const handle = () => undefined as never;

/** What every sidecar answers; served in app.ts, described here. */
const standard: Readonly<Record<string, Route<unknown>>> = {
  'GET /v1': route({
    summary: 'Role, version, phase and links',
    response: z.object({
      role: z.string(),
      summary: z.string(),
      version: z.string(),
      apiVersions: z.array(z.string()),
      phase,
      started: z.iso.datetime(),
      links: z.array(z.string()),
    }),
    handle,
  }),
  'GET /v1/parameters': route({
    summary: 'Effective parameters with their source, secrets redacted',
    response: z.record(z.string(), z.object({ value: z.unknown(), source: z.string(), reloadable: z.boolean() })),
    handle,
  }),
  'GET /v1/status': route({ summary: 'What it is doing now', response: z.looseObject({ phase }), handle }),
  'POST /v1/prestop': route({
    summary: 'The Pod is going: fail readiness, keep serving',
    response: z.object({ phase }),
    handle,
  }),
  'POST /v1/shutdown': route({ summary: 'Stop now', response: z.object({ phase }), handle }),
};

export function renderOpenApi(sidecar: AnySidecar): object {
  const paths: Record<string, Record<string, unknown>> = { ...probePaths(), ...textPaths() };
  const routes: Readonly<Record<string, Route<unknown>>> = { ...standard, ...sidecar.routes };
  for (const [request, declared] of Object.entries(routes)) {
    const { method, path } = splitRequest(request);
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation(request, declared) };
  }
  return {
    openapi: '3.1.0',
    info: { title: `Outrigger ${sidecar.name}`, summary: sidecar.summary, version: sidecar.version, license },
    paths,
    components: { schemas: { Problem }, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };

const Problem = {
  type: 'object',
  description: 'RFC 9457 problem details with a stable code',
  required: ['status', 'title', 'code', 'detail'],
  properties: {
    status: { type: 'integer' },
    title: { type: 'string' },
    code: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string' },
  },
};

const text = (description: string, type = 'text/plain') => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
});
const failure = {
  description: 'Any error',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function probePaths() {
  const query = [
    { name: 'verbose', in: 'query', schema: { type: 'string' }, allowEmptyValue: true, description: 'List each check' },
    {
      name: 'exclude',
      in: 'query',
      schema: { type: 'array', items: { type: 'string' } },
      description: 'Checks left out',
    },
  ];
  const probe = (operationId: string, summary: string) => ({
    get: {
      operationId,
      summary,
      parameters: query,
      responses: { 200: text('Healthy'), 503: text('Not healthy, and why') },
    },
  });
  return {
    '/livez': probe('livez', 'Alive; stays 200 while draining'),
    '/readyz': probe('readyz', 'Ready for work'),
    '/startupz': probe('startupz', 'Started; never waits for the application'),
  };
}

const textPaths = () => ({
  '/metrics': {
    get: { operationId: 'metrics', summary: 'Prometheus text or OpenMetrics', responses: { 200: text('The series') } },
  },
  '/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This description',
      responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
    },
  },
  '/v1/events': {
    get: {
      operationId: 'events',
      summary: 'What happens, as server-sent events; resumes after Last-Event-ID',
      parameters: [{ name: 'Last-Event-ID', in: 'header', schema: { type: 'integer' } }],
      responses: { 200: text('The stream', 'text/event-stream') },
    },
  },
});

function operation(request: string, { summary, path, query, body, response, html }: Route<unknown>): object {
  const { method } = splitRequest(request);
  const changing = method !== 'GET';
  const accepted = request === 'POST /v1/prestop' || request === 'POST /v1/shutdown';
  const answer = html
    ? text('The page', 'text/html')
    : {
        description: 'As asked',
        content: { 'application/json': { schema: response ? jsonSchema(response, 'output') : {} } },
      };
  return {
    operationId: request.replace(/[^A-Za-z0-9]+(.)?/g, (_, letter?: string) => letter?.toUpperCase() ?? ''),
    summary,
    parameters: [...parametersOf(path, 'path'), ...parametersOf(query, 'query')],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } },
    }),
    ...(changing && { security: [{}, { token: [] }] }),
    responses: { [accepted ? 202 : 200]: answer, default: failure },
  };
}

function parametersOf(schema: Route<unknown>['path'], place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, object>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: each,
  }));
}

function jsonSchema(schema: NonNullable<Route<unknown>['path']>, io: 'input' | 'output'): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>;
  return rest;
}
