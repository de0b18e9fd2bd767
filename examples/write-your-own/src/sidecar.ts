import { defineSidecar, every } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes, type State } from './api.ts';
import { errors } from './errors.ts';
import { metrics } from './metrics.ts';
import { parameters } from './parameters.ts';
import { Rounds } from './rounds.ts';
import { work } from './work.ts';

export const sidecar = defineSidecar({
  name: 'rates',
  version: manifest.version,
  summary: 'Keeps a file of exchange rates fresh',
  port: 9410,
  parameters,
  metrics,
  errors,
  routes,

  // work -> rounds, what takes before what gives.
  start({ parameters, health, metrics, log, supervise }): State {
    const rounds = new Rounds({ metrics, log, worked: health.latch('worked once') });
    supervise('work', (signal) =>
      every(
        () => parameters.period,
        signal,
        () => rounds.of(() => work(parameters, signal), signal),
      ),
    );
    return { rounds };
  },

  status: ({ rounds }) => rounds.now,
});
