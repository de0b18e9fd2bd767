// A probe or hook that asks a port which nobody declares.

import { type Container, portNumber, probeKinds, probeOf } from '../../manifest/containers.ts';
import type { Path } from '../../manifest/path.ts';
import { portsOf } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';

export const probePorts = defineRule({
  name: 'probe-ports',
  severity: 'warning',
  *check({ containers, parameters }) {
    for (const entry of containers) {
      const known = new Set(portsOf(entry, parameters.get(entry.name)).map(({ port }) => port));
      for (const { port, path } of asked(entry.container, entry.path)) {
        const number = portNumber(entry.container, port);
        if (number === undefined)
          yield { path, message: `the container declares no port named "${port}"`, severity: 'error' };
        else if (!known.has(number)) yield { path, message: `port ${number} is not declared by the container` };
      }
    }
  },
});

function asked(container: Container, path: Path): { port: string | number; path: Path }[] {
  const actions = [
    ...probeKinds.map((kind) => ({ action: probeOf(container, kind), path: [...path, `${kind}Probe`] })),
    ...(['postStart', 'preStop'] as const).map((hook) => ({
      action: container.lifecycle?.[hook],
      path: [...path, 'lifecycle', hook],
    })),
  ];
  return actions.flatMap(({ action, path }) =>
    (['httpGet', 'tcpSocket'] as const).flatMap((kind) => {
      const target = action?.[kind];
      // Another host's ports are not ours to know.
      if (target?.port === undefined || target.host) return [];
      return { port: target.port, path: [...path, kind, 'port'] };
    }),
  );
}
