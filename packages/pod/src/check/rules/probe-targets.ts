// Which of a sidecar's probe paths suits which probe.

import { probeOf } from '../../manifest/containers.ts';
import { defineRule } from '../rule.ts';

export const probeTargets = defineRule({
  name: 'probe-targets',
  severity: 'warning',
  *check({ containers }) {
    for (const { container, path, kind, role } of containers) {
      if (!role) continue;
      const startup = probeOf(container, 'startup');
      if (kind === 'sidecar' && asksReadiness(startup))
        yield {
          path: [...path, 'startupProbe'],
          message:
            'asks for readiness, which may wait for the application, and that starts after this sidecar: use /startupz, or the Pod may never start',
        };
      const liveness = probeOf(container, 'liveness');
      if (asksReadiness(liveness))
        yield {
          path: [...path, 'livenessProbe'],
          message:
            'asks for readiness, which fails while the sidecar drains or waits: use /livez, or it is killed then',
        };
    }
  },
});

const asksReadiness = (probe: ReturnType<typeof probeOf>) =>
  probe?.httpGet?.path?.startsWith('/readyz') ||
  (probe?.exec?.command?.[0] === 'sidecar' && probe.exec.command[2] === 'ready');
