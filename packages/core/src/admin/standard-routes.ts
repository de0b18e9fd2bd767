// The routes that every sidecar has, declared like a role's own.

import type { Registry } from 'prom-client';
import * as z from 'zod/mini';
import type { Events } from '../events.ts';
import type { Health } from '../health.ts';
import type { Log } from '../log.ts';
import type { Budget } from '../memory.ts';
import { expose, negotiate } from '../metrics.ts';
import type { Reloaded } from '../parameters/open-parameters.ts';
import type { Effective } from '../parameters/resolve.ts';
import type { Secret } from '../secret.ts';
import type { AnySidecar } from '../sidecar.ts';
import { problem } from './problem.ts';
import { Refusal, replyRoute, route, splitRequest, versionsOf } from './route.ts';
import type { EventStreams } from './stream-events.ts';

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
  readonly budget: () => Budget;
  readonly reload: () => Promise<Reloaded>;
  readonly prestop: () => void;
  readonly shutdown: () => void;
};

type Standard = Inside & { readonly streams: EventStreams };

const phase = z.enum(['starting', 'serving', 'leaving', 'stopping']);

// Values as they are written, secrets redacted; one that is not given is left out.
const change = z.object({
  name: z.string(),
  key: z.string(),
  from: z.optional(z.unknown()),
  to: z.optional(z.unknown()),
  source: z.string(),
});

export const standardRoutes = {
  'GET /metrics': replyRoute({
    summary: 'Prometheus text or OpenMetrics',
    operationId: 'metrics',
    media: 'text/plain',
    description: 'OpenMetrics 1.0 when Accept asks for application/openmetrics-text',
    async handle({ sidecar, registry, state }: Standard, { headers }) {
      const format = negotiate(headers.accept);
      const running = state();
      const families = running ? await sidecar.collect?.(running.value) : undefined;
      const body = await expose(registry, families ?? [], format);
      return { status: 200, headers: { 'content-type': format.contentType }, body };
    },
  }),
  'GET /openapi.json': route({
    summary: 'This description',
    operationId: 'openapi',
    response: z.looseObject({ openapi: z.string() }),
    // Assembling it costs time and memory that only who asks should pay.
    handle: async ({ sidecar }: Standard) => (await import('./openapi.ts')).renderOpenApi(sidecar),
  }),
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
    handle: (inside: Standard) => selfDescription(inside),
  }),
  'GET /v1/parameters': route({
    summary: 'Effective parameters with their source, secrets redacted',
    response: z.record(z.string(), z.object({ value: z.unknown(), source: z.string(), reloadable: z.boolean() })),
    handle: ({ effective }: Standard) => effective(),
  }),
  'POST /v1/parameters/reload': route({
    summary: 'Read the parameters again, as SIGHUP does; all or nothing',
    response: z.object({ changed: z.array(change), needRestart: z.array(change) }),
    problems: { 422: 'PARAMETERS: the new values are refused and the old ones stay; `problems` lists what is wrong' },
    async handle({ reload }: Standard) {
      const { changed, needRestart, problems } = await reload();
      if (problems.length === 0) return { changed: [...changed], needRestart: [...needRestart] };
      const detail = 'The new parameters are refused and the old ones stay';
      return new Refusal(problem(422, 'PARAMETERS', detail, { problems }));
    },
  }),
  'GET /v1/status': route({
    summary: 'What it is doing now',
    response: z.looseObject({ phase }),
    handle({ sidecar, phase, state }: Standard) {
      const running = state();
      return { phase: phase(), ...(running && sidecar.status?.(running.value)) };
    },
  }),
  'GET /v1/budget': route({
    summary: 'What memory it may use and uses, in bytes',
    response: z.object({
      limit: z.int(),
      limitSource: z.enum(['cgroup v1', 'cgroup v2', 'machine']),
      used: z.int(),
      heap: z.object({ limit: z.int(), used: z.int() }),
      buffers: z.int(),
      shedding: z.boolean(),
    }),
    handle: ({ budget }: Standard) => budget(),
  }),
  'GET /v1/events': replyRoute({
    summary: 'What happens, as server-sent events; resumes after Last-Event-ID',
    operationId: 'events',
    description: [
      'The events that are kept come first, then each as it happens. A listener that was away or reads too slowly',
      'receives one `gap` event with the number of events it `missed` and why: it was `behind`, or the process has',
      '`restarted`, and then the number is null. The last event of all is `stopped`.',
    ].join(' '),
    media: 'text/event-stream',
    headers: { 'Last-Event-ID': 'Go on after this event; ids are opaque' },
    query: z.object({
      after: z.optional(z.string()),
      type: z.optional(z.array(z.string())),
    }),
    problems: { 503: 'NO_MORE_STREAMS: too many listeners, or it is stopping; `Retry-After` says when to come again' },
    handle: ({ streams }: Standard, { headers, query: { after, type = [] } }) =>
      streams.open({ after: headers['last-event-id']?.toString() ?? after, types: type }),
  }),
  'POST /v1/prestop': route({
    summary: 'The Pod is going: fail readiness, keep serving',
    status: 202,
    response: z.object({ phase }),
    handle({ prestop, phase }: Standard) {
      prestop();
      return { phase: phase() };
    },
  }),
  'POST /v1/shutdown': route({
    summary: 'Stop now',
    status: 202,
    response: z.object({ phase }),
    handle({ shutdown, phase }: Standard) {
      // After the answer has left.
      setImmediate(shutdown);
      return { phase: phase() };
    },
  }),
};

/** Every request that a sidecar answers, probes aside. */
export const requestsOf = ({ routes = {} }: Pick<AnySidecar, 'routes'>): string[] => [
  ...Object.keys(standardRoutes),
  ...Object.keys(routes),
];

const probeLinks = ['/livez', '/readyz', '/startupz'];

function selfDescription({ sidecar, phase, started }: Inside) {
  const requests = requestsOf(sidecar);
  const gets = requests.map(splitRequest).filter(({ method, path }) => method === 'GET' && path !== '/v1');
  return {
    role: sidecar.name,
    summary: sidecar.summary,
    version: sidecar.version,
    apiVersions: versionsOf(requests),
    phase: phase(),
    started: started.toISOString(),
    links: [...probeLinks, ...gets.map(({ path }) => path)],
  };
}
