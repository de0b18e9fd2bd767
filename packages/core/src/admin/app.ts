// The admin listener's routes: probes, metrics, the API of every sidecar and the role's own.

import type { Registry } from 'prom-client';
import type { Events } from '../events.ts';
import type { Health } from '../health.ts';
import type { Log } from '../log.ts';
import { expose, negotiate } from '../metrics.ts';
import type { Effective } from '../parameters/resolve.ts';
import type { Secret } from '../secret.ts';
import type { AnySidecar } from '../sidecar.ts';
import { guard } from './guard.ts';
import { serveProbes } from './probes.ts';
import { problem, problemOf } from './problem.ts';
import { type Route, splitRequest } from './route.ts';
import { type AdminRequest, BodyTooLarge, type Reply, Router } from './router.ts';
import { streamEvents } from './stream-events.ts';

export type Phase = 'starting' | 'serving' | 'leaving' | 'stopping';

/** What the admin listener shows and may ask for. */
export type Inside = {
  readonly sidecar: AnySidecar;
  readonly health: Health;
  readonly registry: Registry;
  readonly events: Events;
  readonly log: Log;
  readonly token: Secret | undefined;
  readonly started: Date;
  readonly phase: () => Phase;
  readonly effective: () => Readonly<Record<string, Effective>>;
  /** What start returned, wrapped, or undefined until then. */
  readonly state: () => { readonly value: unknown } | undefined;
  readonly prestop: () => void;
  readonly shutdown: () => void;
};

const apiVersions = ['v1'];

export function adminApp(inside: Inside): Router {
  const router = new Router({
    guard: guard(inside.token),
    notFound,
    failed: (error, { method, path }) => {
      if (error instanceof BodyTooLarge) return problem(413, 'BODY_TOO_LARGE', error.message);
      inside.log.error(error as Error, { request: `${method} ${path}` });
      return problemOf(error);
    },
  });
  serveProbes(router, inside.health);
  serveMetrics(router, inside);
  serveResources(router, inside);
  for (const [request, route] of Object.entries(inside.sidecar.routes ?? {}))
    serveRoute(router, request, route as Route<unknown>, inside);
  return router;
}

const json = (body: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

function serveMetrics(router: Router, { sidecar, registry, state }: Inside): void {
  router.add('GET', '/metrics', async ({ headers }) => {
    const format = negotiate(headers.accept);
    const running = state();
    const families = running ? await sidecar.collect?.(running.value) : undefined;
    const body = await expose(registry, families ?? [], format);
    return { status: 200, headers: { 'content-type': format.contentType }, body };
  });
}

function serveResources(router: Router, inside: Inside): void {
  const { sidecar, state, events } = inside;
  // Assembling the description costs time and memory that only who asks should pay.
  router.add('GET', '/openapi.json', async () => json((await import('./openapi.ts')).renderOpenApi(sidecar)));
  router.add('GET', '/v1', () => json(selfDescription(inside)));
  router.add('GET', '/v1/parameters', () => json(inside.effective()));
  router.add('GET', '/v1/status', () => {
    const running = state();
    return json({ phase: inside.phase(), ...(running && sidecar.status?.(running.value)) });
  });
  router.add('GET', '/v1/events', (request) => streamEvents(request, events));
  router.add('POST', '/v1/prestop', () => {
    inside.prestop();
    return json({ phase: inside.phase() }, 202);
  });
  router.add('POST', '/v1/shutdown', () => {
    // After the answer has left.
    setImmediate(inside.shutdown);
    return json({ phase: inside.phase() }, 202);
  });
}

const links = ['/livez', '/readyz', '/startupz', '/metrics', '/openapi.json'];
const resources = ['/v1/parameters', '/v1/status', '/v1/events'];

function selfDescription({ sidecar, phase, started }: Inside): object {
  const own = Object.keys(sidecar.routes ?? {}).map((request) => splitRequest(request).path);
  return {
    role: sidecar.name,
    summary: sidecar.summary,
    version: sidecar.version,
    apiVersions,
    phase: phase(),
    started: started.toISOString(),
    links: [...links, ...resources, ...own],
  };
}

function serveRoute(router: Router, request: string, route: Route<unknown>, { state }: Inside): void {
  const { method, path } = splitRequest(request);
  router.add(method, path, async (received) => {
    const running = state();
    if (!running) return problem(503, 'STARTING', 'Still starting');
    const input = await readInput(received, route);
    if ('status' in input) return input;
    const answer = await route.handle(running.value, input as never);
    if (route.html) return { status: 200, headers: pageHeaders, body: answer as string };
    return answer === undefined ? { status: 204 } : json(answer);
  });
}

// Pages are self-contained: inline style and script of our own, nothing from elsewhere, and no framing.
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

type Input = {
  readonly signal: AbortSignal;
  readonly path?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
};

async function readInput(request: AdminRequest, route: Route<unknown>): Promise<Input | Reply> {
  const given = {
    path: request.params,
    query: Object.fromEntries(request.query),
    body: route.body && (await request.json()),
  };
  const input: { signal: AbortSignal; [part: string]: unknown } = { signal: request.signal };
  for (const part of ['path', 'query', 'body'] as const) {
    const parsed = route[part]?.safeParse(given[part]);
    if (parsed?.success === false) {
      const errors = parsed.error.issues.map(({ path, message }) => ({ in: part, path: path.join('.'), message }));
      return problem(400, 'INVALID_REQUEST', `The ${part} is not as described`, { errors });
    }
    input[part] = parsed?.data;
  }
  return input;
}

function notFound({ path }: AdminRequest): Reply {
  const version = /^\/(v\d+)(\/|$)/.exec(path)?.[1];
  if (version && !apiVersions.includes(version))
    return problem(404, 'UNKNOWN_VERSION', `There is no API ${version}`, { versions: apiVersions });
  return problem(404, 'NOT_FOUND', `There is no ${path}`, { versions: apiVersions });
}
