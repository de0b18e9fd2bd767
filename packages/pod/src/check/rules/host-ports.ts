// Ports of a node are there once: a second Pod with the same sidecars finds them taken, and they are open to whoever reaches the node.

import { defineRule } from '../rule.ts';

export const hostPorts = defineRule({
  name: 'host-ports',
  severity: 'warning',
  *check({ manifest: { pod }, containers }) {
    const sidecars = containers.filter(({ role }) => role);
    if (pod.spec?.hostNetwork && sidecars.length > 0)
      yield {
        path: ['spec', 'hostNetwork'],
        message: `ports of sidecars (${sidecars.map(({ name }) => name).join(', ')}) are ports of the node, where each is there once`,
      };
    for (const { container, path } of sidecars)
      for (const [index, { hostPort }] of [...(container.ports ?? [])].entries())
        if (hostPort !== undefined && !pod.spec?.hostNetwork)
          yield {
            path: [...path, 'ports', index, 'hostPort'],
            message: `port ${hostPort} of the node is there once: a Service reaches the sidecar without it`,
          };
  },
});
