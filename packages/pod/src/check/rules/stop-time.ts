// Sidecars stop after the application, in what the grace period leaves them.

import { formatDuration } from '@outrigger/core';
import { wordPath } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';

const defaultSeconds = 30;

export const stopTime = defineRule({
  name: 'stop-time',
  severity: 'warning',
  *check({ manifest: { pod }, containers, parameters }) {
    const seconds = pod.spec?.terminationGracePeriodSeconds ?? defaultSeconds;
    const drains = containers.flatMap((entry) => {
      const given = parameters.get(entry.name);
      const drain = given?.values.drainTimeout;
      return typeof drain === 'number' ? [{ entry, given, drain }] : [];
    });
    const longer = drains.filter(({ drain }) => drain > seconds * 1000);
    for (const { entry, given, drain } of longer)
      yield {
        path: wordPath(given, 'drainTimeout') ?? [...entry.path, 'name'],
        message: `--drain-timeout ${formatDuration(drain)} is longer than terminationGracePeriodSeconds (${seconds}): it would be killed before`,
      };
    // Native sidecars stop one after the other, ordinary containers at the same time and before them.
    const of = (kind: 'app' | 'sidecar') => drains.filter(({ entry }) => entry.kind === kind).map(({ drain }) => drain);
    const total = Math.max(0, ...of('app')) + of('sidecar').reduce((sum, drain) => sum + drain, 0);
    if (longer.length === 0 && total > seconds * 1000)
      yield {
        path: ['spec', 'terminationGracePeriodSeconds'],
        message: `sidecars stop one after the other and may take ${formatDuration(total)} together (--drain-timeout), longer than terminationGracePeriodSeconds (${seconds}): the first ones would be killed before`,
      };
  },
});
