// Below what a sidecar needs it is killed, and started, and killed.

import { presets } from '../../compose/presets.ts';
import { parseQuantity } from '../../manifest/quantity.ts';
import { defineRule } from '../rule.ts';

export const memory = defineRule({
  name: 'memory',
  severity: 'warning',
  *check({ containers }) {
    for (const { container, role, path } of containers) {
      const limit = container.resources?.limits?.memory;
      if (!role || limit === undefined) continue;
      const { leastMemory } = presets[role];
      if ((parseQuantity(String(limit)) ?? Number.POSITIVE_INFINITY) < parseQuantity(leastMemory)!)
        yield {
          path: [...path, 'resources', 'limits', 'memory'],
          message: `${limit} is below the ${leastMemory} that outrigger/${role} needs: it would be killed under load`,
        };
    }
  },
});
