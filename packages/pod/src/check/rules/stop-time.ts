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
    for (const entry of containers) {
      const given = parameters.get(entry.name);
      const drainTimeout = given?.values.drainTimeout;
      if (typeof drainTimeout !== 'number' || drainTimeout <= seconds * 1000) continue;
      yield {
        path: wordPath(given, 'drainTimeout') ?? [...entry.path, 'name'],
        message: `--drain-timeout ${formatDuration(drainTimeout)} is longer than terminationGracePeriodSeconds (${seconds}): it would be killed before`,
      };
    }
  },
});
