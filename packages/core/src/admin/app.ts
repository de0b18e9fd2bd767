// The admin listener's routes: probes, the API of every sidecar and the role's own.

import { DeprecatedUse } from './deprecation.ts';
import { guard } from './guard.ts';
import { serveProbes } from './probes.ts';
import { problem, problemOf } from './problem.ts';
import { versionsOf } from './route.ts';
import { type AdminRequest, type Reply, Router } from './router.ts';
import { serveRoute } from './serve-route.ts';
import { type Inside, requestsOf, standardRoutes } from './standard-routes.ts';
import { EventStreams } from './stream-events.ts';

export type { Inside, Phase } from './standard-routes.ts';

export function adminApp(inside: Inside): Router {
  const { sidecar, health, token, events, state } = inside;
  const failed = (error: unknown, { method, path }: AdminRequest) => {
    inside.log.error(error as Error, { request: `${method} ${path}` });
    return problemOf(error);
  };
  const router = new Router({ guard: guard(token), notFound: notFound(versionsOf(requestsOf(sidecar))), failed });
  serveProbes(router, health);
  const own = sidecar.routes ?? {};
  const serving = { router, deprecatedUse: new DeprecatedUse(own, inside) };
  const standard = { value: { ...inside, streams: new EventStreams(events) } };
  for (const [request, route] of Object.entries(standardRoutes)) serveRoute(serving, request, route, () => standard);
  for (const [request, route] of Object.entries(own)) serveRoute(serving, request, route, state);
  return router;
}

const notFound =
  (versions: readonly string[]) =>
  ({ path }: AdminRequest): Reply => {
    const version = /^\/(v\d+)(\/|$)/.exec(path)?.[1];
    if (version && !versions.includes(version))
      return problem(404, 'UNKNOWN_VERSION', `There is no API ${version}`, { versions });
    return problem(404, 'NOT_FOUND', `There is no ${path}`, { versions });
  };
