// Readiness does not hold back what comes after a native sidecar; only a startupProbe does.

import { defineRule } from '../rule.ts';

export const startOrder = defineRule({
  name: 'start-order',
  severity: 'warning',
  *check({ containers }) {
    for (const { kind, container, path } of containers)
      if (kind === 'sidecar' && !container.startupProbe)
        yield {
          path: [...path, 'name'],
          message: 'has no startupProbe: what comes after it starts at once, whether it is up or not',
        };
  },
});
