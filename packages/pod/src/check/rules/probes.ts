// What the API server wants of probes and hooks.

import { probeKinds, probeOf } from '../../manifest/containers.ts';
import { defineRule, type Found } from '../rule.ts';

export const probes = defineRule({
  name: 'probes',
  severity: 'error',
  *check({ containers }) {
    for (const { container, path } of containers) {
      for (const kind of probeKinds) {
        const probe = probeOf(container, kind);
        if (!probe) continue;
        const at = [...path, `${kind}Probe`];
        yield* oneOf(probe, ['exec', 'httpGet', 'tcpSocket', 'grpc'], at);
        if (kind !== 'readiness' && (probe.successThreshold ?? 1) !== 1)
          yield { path: [...at, 'successThreshold'], message: `must be 1 for a ${kind} probe` };
        for (const field of ['periodSeconds', 'timeoutSeconds', 'failureThreshold', 'successThreshold'] as const)
          if (probe[field] !== undefined && probe[field] < 1)
            yield { path: [...at, field], message: 'must be at least 1' };
        if (probe.exec && !probe.exec.command?.length)
          yield { path: [...at, 'exec'], message: 'a command is expected' };
      }
      for (const hook of ['postStart', 'preStop'] as const) {
        const handler = container.lifecycle?.[hook];
        if (handler) yield* oneOf(handler, ['exec', 'httpGet', 'tcpSocket', 'sleep'], [...path, 'lifecycle', hook]);
      }
    }
  },
});

function* oneOf(action: object, kinds: readonly string[], path: Found['path']): Iterable<Found> {
  const given = kinds.filter((kind) => kind in action);
  if (given.length === 0) yield { path, message: `one of ${kinds.join(', ')} is expected` };
  if (given.length > 1) yield { path, message: `only one of ${given.join(' and ')} may be given` };
}
