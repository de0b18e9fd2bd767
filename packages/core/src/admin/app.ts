// The admin listener's routes: probes, metrics, the API of every sidecar and the role's own.

import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
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
const bodyBytes = 1024 * 1024;
type App = Hono<{ Bindings: HttpBindings }>;

export function adminApp(inside: Inside): App {
  const app: App = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('x-content-type-options', 'nosniff');
  });
  app.use(guard(inside.token));
  app.use(
    bodyLimit({
      maxSize: bodyBytes,
      onError: (context) => problem(context, 413, 'BODY_TOO_LARGE', `At most ${bodyBytes} bytes are accepted`),
    }),
  );
  serveProbes(app, inside.health);
  serveMetrics(app, inside);
  serveResources(app, inside);
  for (const [request, route] of Object.entries(inside.sidecar.routes ?? {}))
    serveRoute(app, request, route as Route<unknown>, inside);
  app.notFound((context) => notFound(context, app));
  app.onError((error, context) => {
    inside.log.error(error, { request: `${context.req.method} ${context.req.path}` });
    return problemOf(context, error);
  });
  return app;
}

function serveMetrics(app: App, { sidecar, registry, state }: Inside): void {
  app.get('/metrics', async (context) => {
    const format = negotiate(context.req.header('accept'));
    const running = state();
    const families = running ? await sidecar.collect?.(running.value) : undefined;
    return context.body(await expose(registry, families ?? [], format), 200, { 'content-type': format.contentType });
  });
}

function serveResources(app: App, inside: Inside): void {
  const { sidecar, state, events } = inside;
  // Assembling the description costs time and memory that only who asks should pay.
  app.get('/openapi.json', async (context) => context.json((await import('./openapi.ts')).renderOpenApi(sidecar)));
  app.get('/v1', (context) => context.json(selfDescription(inside)));
  app.get('/v1/parameters', (context) => context.json(inside.effective()));
  app.get('/v1/status', (context) => {
    const running = state();
    const own = running ? sidecar.status?.(running.value) : undefined;
    return context.json({ phase: inside.phase(), ...own });
  });
  app.get('/v1/events', (context) => streamEvents(context, events));
  app.post('/v1/prestop', (context) => {
    inside.prestop();
    return context.json({ phase: inside.phase() }, 202);
  });
  app.post('/v1/shutdown', (context) => {
    // After the answer has left.
    setImmediate(inside.shutdown);
    return context.json({ phase: inside.phase() }, 202);
  });
}

function selfDescription({ sidecar, phase, started }: Inside): object {
  const own = Object.keys(sidecar.routes ?? {}).map((request) => splitRequest(request).path);
  return {
    role: sidecar.name,
    summary: sidecar.summary,
    version: sidecar.version,
    apiVersions,
    phase: phase(),
    started: started.toISOString(),
    links: [
      '/livez',
      '/readyz',
      '/startupz',
      '/metrics',
      '/openapi.json',
      '/v1/parameters',
      '/v1/status',
      '/v1/events',
      ...own,
    ],
  };
}

function serveRoute(app: App, request: string, route: Route<unknown>, { state }: Inside): void {
  const { method, path } = splitRequest(request);
  app.on([method], [path.replace(/\{(\w+)\}/g, ':$1')], async (context): Promise<Response> => {
    const running = state();
    if (!running) return problem(context, 503, 'STARTING', 'Still starting');
    const input = await readInput(context, route);
    if (input instanceof Response) return input;
    const answer = await route.handle(running.value, input as never);
    if (route.html) return context.html(answer as string, 200, pageHeaders);
    return answer === undefined ? context.body(null, 204) : context.json(answer as object);
  });
}

// Pages are self-contained: inline style and script of our own, nothing from elsewhere, and no framing.
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

async function readInput(context: Context, route: Route<unknown>): Promise<Record<string, unknown> | Response> {
  const given = {
    path: context.req.param(),
    query: context.req.query(),
    body: route.body ? await context.req.json().catch(() => undefined) : undefined,
  };
  const input: Record<string, unknown> = { signal: context.req.raw.signal };
  for (const part of ['path', 'query', 'body'] as const) {
    const parsed = route[part]?.safeParse(given[part]);
    if (parsed?.success === false) {
      const errors = parsed.error.issues.map(({ path, message }) => ({ in: part, path: path.join('.'), message }));
      return problem(context, 400, 'INVALID_REQUEST', `The ${part} is not as described`, { errors });
    }
    input[part] = parsed?.data;
  }
  return input;
}

function notFound(context: Context, app: App): Response {
  const { path, method } = context.req;
  const version = /^\/(v\d+)(\/|$)/.exec(path)?.[1];
  if (version && !apiVersions.includes(version))
    return problem(context, 404, 'UNKNOWN_VERSION', `There is no API ${version}`, { versions: apiVersions });
  const methods = ['GET', 'POST', 'PUT', 'DELETE'].filter(
    (each) => each !== method && app.router.match(each, path)[0].some(([[, handler]]) => handler.path !== '/*'),
  );
  if (methods.length > 0) {
    context.header('allow', methods.join(', '));
    return problem(context, 405, 'METHOD', `${method} is not possible here`);
  }
  return problem(context, 404, 'NOT_FOUND', `There is no ${path}`, { versions: apiVersions });
}
