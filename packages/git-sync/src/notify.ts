// Who learns that a commit is published.

import type { Events, Instruments, Log } from '@outrigger/core';
import type { Generation } from './generations.ts';
import type { metrics as declared } from './metrics.ts';

export type Audience = {
  readonly log: Log;
  readonly events: Events;
  readonly metrics: Instruments<typeof declared>;
};

export function notify({ log, events, metrics }: Audience, { commit, ref, published }: Generation): void {
  log.info('Published', { commit, ref });
  metrics.publishedInfo.reset();
  metrics.publishedInfo.set({ commit }, 1);
  metrics.publishedTimestamp.set(published.getTime() / 1000);
  events.publish('published', { commit, ref });
}
