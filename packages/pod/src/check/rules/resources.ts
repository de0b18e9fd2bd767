// What the API server wants of amounts: no request above its limit.

import { parseQuantity } from '../../manifest/quantity.ts';
import { defineRule } from '../rule.ts';

export const resources = defineRule({
  name: 'resources',
  severity: 'error',
  *check({ containers }) {
    for (const { container, path } of containers) {
      const { requests = {}, limits = {} } = container.resources ?? {};
      for (const [name, asked] of Object.entries(requests)) {
        const most = limits[name];
        const [request, limit] = [asked, most].map((each) => parseQuantity(String(each)));
        if (most !== undefined && request !== undefined && limit !== undefined && request > limit)
          yield {
            path: [...path, 'resources', 'requests', name],
            message: `${asked} is more than the limit of ${most}`,
          };
      }
    }
  },
});
