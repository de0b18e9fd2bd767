// The watcher of core on what --watch names, with this role's metrics and its readiness.

import { type Change, openWatcher, type Watcher, watchLog } from '@outrigger/core/watch';
import type { Own } from './context.ts';

/** Looks once before it resolves: what the application reads afterwards is what was seen here, or a change to it. */
export function openWatch(changed: (change: Change) => void, context: Own): Promise<Watcher> {
  const { events, health, log, metrics, parameters } = context;
  const scanned = health.latch('initial scan');
  let known = false;
  const said = watchLog(log);
  return openWatcher({
    paths: parameters.watch,
    settle: () => parameters.settle,
    reconcile: () => parameters.reconcile,
    changed(change) {
      known = true;
      if (!change.found) metrics.changes.inc();
      if (!change.found && !change.hinted) metrics.recoveredChanges.inc();
      changed(change);
      scanned.release();
    },
    complained(fault) {
      said.complained(fault);
      if (!known) scanned.hold(fault.message);
    },
    recovered: said.recovered,
    modeChanged(mode, fault) {
      said.modeChanged(mode, fault);
      for (const each of ['events', 'polling'] as const) metrics.watcherMode.set({ mode: each }, each === mode ? 1 : 0);
      events.publish('watcher', { mode });
    },
    looked({ result, missing }) {
      metrics.looks.inc({ result });
      metrics.missingPaths.set(missing.length);
    },
  });
}
