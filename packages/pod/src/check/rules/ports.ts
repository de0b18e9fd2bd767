// Containers of a Pod share their ports: each can be listened on once.

import { keyOf, portsOf, type UsedPort } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';

export const ports = defineRule({
  name: 'ports',
  severity: 'error',
  *check({ containers, parameters }) {
    const taken = new Map<string, UsedPort>();
    for (const entry of containers) {
      yield* declaredTwice(entry);
      // An ordinary init container has ended before anybody else listens.
      if (entry.kind === 'init') continue;
      for (const port of portsOf(entry, parameters.get(entry.name))) {
        const other = taken.get(keyOf(port));
        if (other)
          yield {
            path: port.path,
            message: `port ${port.port} (${port.name}) of ${port.container} is taken by ${other.container} (${other.name})`,
          };
        else taken.set(keyOf(port), port);
      }
    }
  },
});

function* declaredTwice({ container, path }: Parameters<typeof portsOf>[0]) {
  const [numbers, names] = [new Set<string>(), new Set<string>()];
  for (const [index, { name, containerPort, protocol = 'TCP' }] of [...(container.ports ?? [])].entries()) {
    const at = [...path, 'ports', index];
    if (containerPort !== undefined && (containerPort < 1 || containerPort > 65_535))
      yield { path: [...at, 'containerPort'], message: `${containerPort} is not a port, 1 to 65535 is expected` };
    const key = `${containerPort}/${protocol}`;
    if (numbers.has(key)) yield { path: [...at, 'containerPort'], message: `port ${containerPort} is declared twice` };
    if (name && names.has(name)) yield { path: [...at, 'name'], message: `"${name}" is the name of another port, too` };
    if ((name && !/^(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name.slice(0, 64))) || (name?.length ?? 0) > 15)
      yield {
        path: [...at, 'name'],
        message: `"${name}" is not a name of a port: at most 15 lower-case letters, digits and "-"`,
      };
    numbers.add(key);
    if (name) names.add(name);
  }
}
