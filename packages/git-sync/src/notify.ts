// Who learns that a commit is published.

import type { Events, Instruments, Log } from '@outrigger/core';
import type { Generation } from './generations.ts';
import type { Hooks } from './hooks.ts';
import type { metrics as declared } from './metrics.ts';

export type Audience = {
  readonly log: Log;
  readonly events: Events;
  readonly metrics: Instruments<typeof declared>;
  readonly hooks: Pick<Hooks, 'bring'>;
};

export function notify({ log, events, metrics, hooks }: Audience, generation: Generation): void {
  const { commit, ref } = generation;
  log.info('Published', { commit, ref });
  measure(metrics, generation);
  events.publish('published', { commit, ref });
  hooks.bring(generation);
}

/** Published by the last run: shown, but nobody needs to hear of it again. */
export function resume({ log, metrics }: Audience, generation: Generation): void {
  log.info('Published by the last run', { commit: generation.commit });
  measure(metrics, generation);
}

function measure(metrics: Audience['metrics'], { commit, published }: Generation): void {
  metrics.publishedInfo.reset();
  metrics.publishedInfo.set({ commit }, 1);
  metrics.publishedTimestamp.set(published.getTime() / 1000);
}
