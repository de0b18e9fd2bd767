// The sidecar that the abuse of the admin listener is tried on: alive, serving and silent after each test.

import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type RunningSidecar, startSidecar } from '../../src/testing/index.ts';
import { memoryWatch } from './process-figures.ts';

export type Victim = {
  readonly sidecar: RunningSidecar;
  /** Megabytes of memory that it has come to use at most, beside what it takes at rest. */
  grown(): number;
};

/** All of its heap, 32, beside what is outside of it: 10 for 1,024 connections, the rest for bodies and answers. */
export const mostMegabytes = 60;

/** One for all tests of the calling file. */
export function useVictim(): Victim {
  let sidecar: RunningSidecar;
  let grown: () => number;
  beforeAll(async () => {
    sidecar = await startSidecar(import.meta.resolve('../fixtures/shop.ts'), [], {
      // On all addresses, as a sidecar that is scraped.
      adminAddress: '0.0.0.0:0',
      // The heap of an image in a container of 64 MiB: where there is more, Node.js collects its garbage later.
      env: {
        NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=32',
        // How long a flood holds up the loop is the machine's, not ours: where tests share its cores, it may be seconds.
        OUTRIGGER_EVENT_LOOP_LIMIT: '0',
      },
    });
    grown = memoryWatch(sidecar.pid);
  });
  afterEach(async () => {
    expect(await (await sidecar.get('/v1')).json()).toMatchObject({ phase: 'serving' });
    expect((await sidecar.get('/livez')).status).toBe(200);
    expect(sidecar.logs().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
  afterAll(() => sidecar[Symbol.asyncDispose]());
  return {
    get sidecar() {
      return sidecar;
    },
    grown: () => grown(),
  };
}
