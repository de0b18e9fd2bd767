// The map of the monitor: sample -> attribute to containers -> judge -> show. Sidecars are asked for their health beside it.

import { defineSidecar, every, type Fault } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes } from './api.ts';
import { Asker } from './ask.ts';
import { Attribution, type Snapshot } from './attribute.ts';
import { Board } from './board.ts';
import { errors } from './errors.ts';
import { Fresh } from './fresh.ts';
import type { SidecarHealth } from './judge.ts';
import { metrics } from './metrics.ts';
import { parameters } from './parameters.ts';
import { recordSnapshot } from './record.ts';
import { Sampler } from './sample.ts';

/** What the API and the page see. */
export type State = {
  /** Rejects with a Fault where processes cannot be sampled. */
  processes(): Promise<Snapshot>;
  lastProcesses(): Snapshot | undefined;
  sidecars(): readonly SidecarHealth[];
};

export const sidecar = defineSidecar({
  name: 'monitor',
  version: manifest.version,
  summary: manifest.description,
  port: 9400,
  parameters,
  metrics,
  errors,
  routes,

  check({ parameters, problem }) {
    for (const [name, { username, password }] of Object.entries(parameters.sidecars)) {
      if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
        problem('sidecars', `"${name}": a name of small letters, digits and dashes is expected`);
      // The URL is shown to everybody who looks.
      if (username || password) problem('sidecars', `"${name}": a URL without user name and password is expected`);
    }
  },

  start({ parameters, metrics, health, log, events, leaving, supervise }): State {
    const board = new Board(parameters.sidecars, { metrics, log, events, leaving });
    const sampler = new Sampler();
    const attribution = new Attribution(parameters);

    const processes = new Fresh(async () => {
      try {
        const snapshot = attribution.next(await sampler.take());
        recordSnapshot(metrics, snapshot);
        return snapshot;
      } catch (error) {
        metrics.samples.inc({ outcome: 'failed' });
        throw errors.MONITOR_PROCESSES_UNREADABLE({}, error);
      }
    });

    // Neither processes nor other sidecars hold up readiness: that would take the application out of service for trouble
    // which is only ours to show.
    const sampled = health.latch('processes sampled once');
    let said: string | undefined;
    const sample = async () => {
      // Not right after somebody's look: over so short an interval the next look could tell nothing.
      const look = processes.last ? processes.current(parameters.samplePeriod) : processes.now();
      const fault = await look.then(
        () => undefined,
        (error: Fault) => error,
      );
      sampled.release();
      if (fault && fault.message !== said) log.warn(fault);
      said = fault?.message;
    };
    supervise('sample', (signal) => every(() => parameters.idlePeriod, signal, sample));

    for (const [name, url] of Object.entries(parameters.sidecars)) {
      const asker = new Asker(url);
      const ask = async (signal: AbortSignal) => {
        const answer = await asker.ask(parameters.healthTimeout, signal);
        if (!signal.aborted) board.put(name, answer);
      };
      supervise(`ask ${name}`, (signal) => every(() => parameters.healthPeriod, signal, ask));
    }

    return {
      processes: () => processes.current(parameters.samplePeriod),
      lastProcesses: () => processes.last,
      sidecars: () => board.all,
    };
  },

  status: (state) => summaryOf(state),
});

function summaryOf(state: State): object {
  const last = state.lastProcesses();
  return {
    sample: last && {
      time: last.time.toISOString(),
      intervalSeconds: last.interval,
      durationSeconds: last.took / 1000,
      processes: last.processes.length,
      sharedProcessNamespace: last.shared,
    },
    containers: last?.containers ?? [],
    sidecars: Object.fromEntries(state.sidecars().map(({ name, state }) => [name, state])),
  };
}
