// OpenAPI 3.1 of the whole API, rendered from the declared routes.

import type { AnySidecar } from '../sidecar.ts';
import { describeProbes } from './describe-probes.ts';
import { commonProblems, describeRoute, Problem, standardTag } from './describe-route.ts';
import { type Route, splitRequest } from './route.ts';
import { Schemas } from './schemas.ts';
import { standardRoutes } from './standard-routes.ts';

export type OpenApi = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly [key: string]: unknown;
};

/** Throws an Error that names what cannot be described: two operations or two schemas of one name, a path's names. */
export function renderOpenApi(sidecar: AnySidecar): OpenApi {
  const schemas = new Schemas({ Problem });
  const paths: Record<string, Record<string, object>> = describeProbes();
  const add = (request: string, route: Route<never>, tag: string) => {
    const { method, path } = splitRequest(request);
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeRoute(request, route, tag, schemas) };
  };
  for (const [request, route] of Object.entries(standardRoutes)) add(request, route, standardTag);
  for (const [request, route] of Object.entries(sidecar.routes ?? {})) add(request, route, sidecar.name);
  refuseTwins(paths);
  return {
    openapi: '3.1.0',
    info: { title: `Outrigger ${sidecar.name}`, summary: sidecar.summary, version: sidecar.version, license },
    tags: [
      { name: 'probes', description: 'The status is for machines, the text for people' },
      { name: standardTag, description: 'What every sidecar answers' },
      ...(Object.keys(sidecar.routes ?? {}).length > 0 ? [{ name: sidecar.name, description: sidecar.summary }] : []),
    ],
    paths,
    components: {
      schemas: schemas.components,
      responses: commonProblems,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' };

function refuseTwins(paths: OpenApi['paths']): void {
  const seen = new Map<unknown, string>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { operationId } = operation as { operationId: string };
      const twin = seen.get(operationId);
      if (twin) throw new Error(`${method} ${path} and ${twin} are both named ${operationId}`);
      seen.set(operationId, `${method} ${path}`);
    }
  }
}
