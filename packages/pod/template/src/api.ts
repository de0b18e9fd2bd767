import { route } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import type { Rounds } from './rounds.ts';

/** What routes see. */
export type State = { readonly rounds: Rounds };

export const routes = {
  'GET /v1/rounds': route({
    summary: 'How often the work succeeded and failed, and what became of it last',
    response: z.object({
      succeeded: z.number(),
      failed: z.number(),
      lastSuccess: z.optional(z.string()),
      lastFailure: z.optional(z.string()),
      reason: z.optional(z.string()),
    }),
    handle: ({ rounds }: State) => rounds.now,
  }),
};
