import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { states } from './judge.ts';
import { page, sorts } from './show.ts';
import type { State } from './sidecar.ts';

const process = z.object({
  pid: z.int(),
  parent: z.int(),
  name: z.string(),
  program: z.string(),
  arguments: z.optional(z.array(z.string())),
  container: z.string(),
  user: z.int(),
  state: z.string(),
  threads: z.int(),
  started: z.iso.datetime(),
  cpu: z.number(),
  cpuSeconds: z.number(),
  memory: z.int(),
  memoryKind: z.enum(['pss', 'rss']),
});

const sidecarHealth = z.object({
  name: z.string(),
  url: z.string(),
  state: z.enum(states),
  phase: z.nullable(z.string()),
  version: z.nullable(z.string()),
  since: z.iso.datetime(),
  reason: z.nullable(z.string()),
  lastAnswer: z.nullable(z.iso.datetime()),
});

export const routes = {
  'GET /v1/processes': route({
    summary: 'Processes of the Pod; cpu is in cores over the last interval, memory in bytes',
    response: z.array(process),
    handle: async (state: State) => [...(await state.processes()).processes],
  }),
  'GET /v1/health': route({
    summary: 'Health of the sidecars as they last answered',
    response: z.array(sidecarHealth),
    handle: (state: State) => [...state.sidecars()],
  }),
  'GET /': route({
    summary: 'Page of processes and sidecars, kept up to date',
    query: z.object({ sort: z.optional(z.enum(sorts)) }),
    html: true,
    handle: (state: State, { query }) => page(state, query.sort),
  }),
};
