// What the API server wants of containers beyond the schema.

import { nearest } from '@outrigger/core';
import { probeKinds } from '../../manifest/containers.ts';
import { roles, toolkitName } from '../../manifest/toolkit.ts';
import { defineRule } from '../rule.ts';

export const containers = defineRule({
  name: 'containers',
  severity: 'error',
  *check({ manifest: { pod }, containers }) {
    const spec = pod.spec;
    if (spec === undefined) yield { path: ['spec'], message: 'is required' };
    else if (spec.containers?.length === 0)
      yield { path: ['spec', 'containers'], message: 'at least one container is expected' };
    for (const { kind, container, path } of containers) {
      if (container.image === undefined || container.image === '')
        yield { path: [...path, 'image'], message: 'is required' };
      if (kind !== 'app' && container.restartPolicy !== undefined && container.restartPolicy !== 'Always')
        yield {
          path: [...path, 'restartPolicy'],
          message: 'only Always is allowed for an init container: it makes it a sidecar',
        };
      if (kind === 'app' && container.restartPolicy === 'Always')
        yield {
          path: [...path, 'restartPolicy'],
          message: 'makes a sidecar of an init container only; move the container to spec.initContainers',
          severity: 'warning',
        };
      if (kind === 'init')
        for (const field of [...probeKinds.map((each) => `${each}Probe` as const), 'lifecycle'] as const)
          if (container[field])
            yield {
              path: [...path, field],
              message: 'is not allowed for an init container without restartPolicy: Always',
            };
      const role = toolkitName(container.image);
      const guess = role === undefined || roles.some((each) => each === role) ? undefined : nearest(role, roles);
      if (guess)
        yield {
          path: [...path, 'image'],
          message: `outrigger/${role} is not an image of the toolkit; did you mean outrigger/${guess}?`,
          severity: 'warning',
        };
    }
  },
});
