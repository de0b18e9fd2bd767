import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import type { Mode } from '@outrigger/core/watch';
import type { Generation, Generations } from './generations.ts';

export type State = {
  readonly generations: Generations;
  readonly watching: () => { readonly mode: Mode; readonly places: number; readonly missing: readonly string[] };
};

const time = z.nullable(z.string());
const error = z.nullable(z.object({ code: z.string(), message: z.string() }));

const generationSchema = z.object({
  generation: z.number(),
  hash: z.string(),
  state: z.enum(['baseline', 'pending', 'confirmed', 'superseded']),
  seen: z.string(),
  notified: time,
  confirmed: time,
  error,
  notifiers: z.array(z.object({ name: z.string(), attempts: z.number(), delivered: time, error })),
});

export const routes = {
  'GET /v1/generations': route({
    summary: 'Contents seen, the newest first, and whether the application was told',
    response: z.array(generationSchema),
    handle: ({ generations }: State) => generations.list().map((each) => shown(each, generations)),
  }),
};

function shown(generation: Generation, generations: Generations): z.input<typeof generationSchema> {
  const notifiers = [...generation.deliveries].map(([name, { attempts, delivered, error }]) => ({
    name,
    attempts,
    delivered: delivered?.toISOString() ?? null,
    error: error ? { code: error.code, message: error.message } : null,
  }));
  return {
    generation: generation.number,
    hash: generation.hash,
    state: generations.stateOf(generation),
    seen: generation.seen.toISOString(),
    notified: generation.notified?.toISOString() ?? null,
    confirmed: generation.confirmed?.toISOString() ?? null,
    error: notifiers.find(({ error }) => error)?.error ?? null,
    notifiers,
  };
}
