import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import type { Follow } from './follow.ts';

const generation = z.object({
  commit: z.string(),
  ref: z.string(),
  published: z.string(),
  current: z.boolean(),
});

export const routes = {
  'GET /v1/generations': route({
    summary: 'Published commits whose trees are kept, newest first',
    response: z.array(generation),
    handle: ({ generations, current }: Follow) =>
      generations.map((each) => ({
        commit: each.commit,
        ref: each.ref,
        published: each.published.toISOString(),
        current: each === current,
      })),
  }),
};
