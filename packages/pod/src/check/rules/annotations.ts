// Our own annotations.

import { nearest } from '@outrigger/core';
import { defineRule } from '../rule.ts';

const prefix = 'outrigger.dev/';

export const annotations = defineRule({
  name: 'annotations',
  severity: 'warning',
  *check({ manifest: { pod }, containers }) {
    const known = ['try', 'sidecars', 'composed', ...containers.map(({ name }) => `local.${name}`)];
    for (const key of Object.keys(pod.metadata?.annotations ?? {})) {
      const name = key.slice(prefix.length);
      if (!key.startsWith(prefix) || known.includes(name)) continue;
      const guess = nearest(name, known);
      const what = name.startsWith('local.') ? `no container is named "${name.slice(6)}"` : 'is unknown';
      yield {
        path: ['metadata', 'annotations', key],
        message: `${what}${guess ? `; did you mean ${prefix}${guess}?` : ''}`,
      };
    }
  },
});
