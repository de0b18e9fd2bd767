// Names that the API server refuses: those that are no DNS names, and those that are taken.

import { isDnsLabel, isDnsName, notAName } from '../dns-name.ts';
import { defineRule, type Found } from '../rule.ts';

export const names = defineRule({
  name: 'names',
  severity: 'error',
  *check({ manifest: { pod, kind }, containers }) {
    const name = pod.metadata?.name;
    // Of another kind it is not the template that has a name.
    if (kind === 'Pod' && name === undefined) yield { path: ['metadata', 'name'], message: 'is required' };
    else if (kind === 'Pod' && !isDnsName(name!)) yield { path: ['metadata', 'name'], message: notAName(name!) };
    yield* each(containers.map((entry) => ({ name: entry.container.name, path: [...entry.path, 'name'] })));
    const volumes = [...(pod.spec?.volumes ?? [])];
    yield* each(volumes.map((volume, index) => ({ name: volume.name, path: ['spec', 'volumes', index, 'name'] })));
    for (const { container, path } of containers)
      for (const [index, variable] of [...(container.env ?? [])].entries())
        if (variable.name === '' || variable.name?.includes('='))
          yield { path: [...path, 'env', index, 'name'], message: `"${variable.name}" is not a name of a variable` };
  },
});

function* each(named: readonly { name: string | undefined; path: Found['path'] }[]): Iterable<Found> {
  const taken = new Set<string>();
  for (const { name, path } of named) {
    // The schema says so when it is absent.
    if (!name) continue;
    if (!isDnsLabel(name)) yield { path, message: notAName(name) };
    if (taken.has(name)) yield { path, message: `"${name}" is taken already` };
    taken.add(name);
  }
}
