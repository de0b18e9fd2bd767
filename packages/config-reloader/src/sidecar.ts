import { defineSidecar, every, wait } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes, type State } from './api.ts';
import { openConfirm } from './confirm.ts';
import type { Own } from './context.ts';
import { Detector } from './detect.ts';
import { errors } from './errors.ts';
import { Generations } from './generations.ts';
import { metrics } from './metrics.ts';
import { openNotify } from './notify.ts';
import { parameters } from './parameters.ts';
import { openSettle } from './settle.ts';
import { type Mode, openWatch, pollPeriod } from './watch.ts';

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
    const { fail, parameters, signal, stack } = context;
    // Consumers first, so read this upwards: watch hints, settle waits, detect compares, notify tells, confirm books.
    const generations = new Generations(context);
    const confirm = openConfirm(generations, context);
    const notify = openNotify(confirm, context);
    const detector = new Detector({
      ...context,
      listen: (places) => watch.listen(places),
      again: () => settle.touch(),
      changed(change) {
        const generation = generations.add(change);
        if (!generation.baseline) notify(generation);
      },
    });
    const settle = stack.use(openSettle({ period: () => parameters.settle, look: () => detector.look() }));
    const hint = () => {
      detector.hinted();
      settle.touch();
    };
    const watch = stack.use(openWatch({ hint, modeChanged: (mode, reason) => sayMode(context, mode, reason) }));

    // Before the application is started: what it reads is what was seen here, or a change to it.
    await settle.now();
    const reconcile = async () => {
      detector.distrust();
      await settle.now();
    };
    wait(parameters.reconcile, signal)
      .then(() => every(() => parameters.reconcile, signal, reconcile))
      .catch(fail);
    return {
      generations,
      watching: () => ({ mode: watch.mode, places: watch.size, missing: detector.missing }),
    };
  },

  status: ({ generations, watching }) => ({
    watching: watching(),
    hash: generations.newest?.hash ?? null,
    state: generations.newest ? generations.stateOf(generations.newest) : null,
  }),
});

function sayMode({ events, log, metrics }: Own, mode: Mode, reason?: unknown): void {
  for (const each of ['events', 'polling'] as const) metrics.watcherMode.set({ mode: each }, each === mode ? 1 : 0);
  if (mode === 'polling') log.warn(errors.RELOAD_POLLING({ period: pollPeriod }, reason));
  else log.info('Changes are noticed by events of the kernel');
  events.publish('watcher', { mode });
}
