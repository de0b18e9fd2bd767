// A sidecar that has rules and nothing else, to see how they are taken into use while it runs.

import { defineSidecar, route, run } from '@outrigger/core';
import * as z from '@outrigger/core/schema';
import { explain, explanation, listedRule, listRules, question } from '../../src/routes/describe.ts';
import { Routes } from '../../src/routes/routes.ts';
import { routes } from './read-routes.ts';

const upstream = '127.0.0.1:8080';

await run(
  defineSidecar({
    name: 'sample',
    summary: 'Has rules',
    version: '1.0.0',
    parameters: { routes },
    routes: {
      'GET /v1/routes': route({
        summary: 'The rules',
        response: z.array(listedRule),
        handle: (state: Routes) => listRules(state.file, upstream),
      }),
      'GET /v1/explain': route({
        summary: 'What becomes of a request',
        query: question,
        response: explanation,
        handle: ({ router, file }: Routes, { query }) => explain({ router, file, upstream }, query),
      }),
    },
    start: ({ parameters, events, log, stack }) =>
      stack.use(
        new Routes({
          file: () => parameters.routes,
          events,
          changed: (change) => log.info('The changed routes are in use', change),
        }),
        { name: 'routes' },
      ),
  }),
);
