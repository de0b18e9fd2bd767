import { defineSidecar } from '@outrigger/core';
import type { Change } from '@outrigger/core/watch';
import manifest from '../package.json' with { type: 'json' };
import { routes, type State } from './api.ts';
import { openConfirm } from './confirm.ts';
import { errors } from './errors.ts';
import { Generations } from './generations.ts';
import { metrics } from './metrics.ts';
import { openNotify } from './notify.ts';
import { parameters } from './parameters.ts';
import { openWatch } from './watch.ts';

export const sidecar = defineSidecar({
  name: 'config-reloader',
  version: manifest.version,
  summary: 'Tells the application when its configuration changed',
  port: 9405,
  parameters,
  metrics,
  errors,
  routes,

  async start(context): Promise<State> {
    // Consumers first, so read this upwards: the watcher listens, settles and compares, notify tells, confirm books.
    const generations = new Generations(context);
    const confirm = openConfirm(generations, context);
    const notify = openNotify(confirm, context);
    const changed = (change: Change) => {
      const generation = generations.add(change);
      if (!generation.baseline) notify(generation);
    };
    const watcher = context.stack.use(await openWatch(changed, context), { name: 'watcher' });
    return {
      generations,
      watching: () => ({ mode: watcher.mode, places: watcher.places, missing: watcher.missing }),
    };
  },

  status: ({ generations, watching }) => ({
    watching: watching(),
    hash: generations.newest?.hash ?? null,
    state: generations.newest ? generations.stateOf(generations.newest) : null,
  }),
});
