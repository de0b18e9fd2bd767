// A subPath mount is bound once, when the container starts.

import { defineRule } from '../rule.ts';

export const subPaths = defineRule({
  name: 'sub-paths',
  severity: 'warning',
  *check({ manifest: { pod }, containers }) {
    const follows = new Set(
      [...(pod.spec?.volumes ?? [])]
        .filter(({ configMap, secret, projected, downwardAPI }) => configMap ?? secret ?? projected ?? downwardAPI)
        .map(({ name }) => name),
    );
    for (const { container, path } of containers)
      for (const [index, mount] of [...(container.volumeMounts ?? [])].entries())
        for (const field of ['subPath', 'subPathExpr'] as const)
          if (mount[field] && follows.has(mount.name))
            yield {
              path: [...path, 'volumeMounts', index, field],
              message: `a ${field} mount never sees a change of "${mount.name}"; mount the volume as a directory`,
            };
  },
});
