// A sidecar among the ordinary containers never ends, and neither does a Job that waits for it.

import { defineRule } from '../rule.ts';

export const jobSidecars = defineRule({
  name: 'job-sidecars',
  severity: 'warning',
  *check({ manifest: { pod }, containers }) {
    const policy = pod.spec?.restartPolicy ?? 'Always';
    if (policy === 'Always') return;
    for (const { kind, role, path } of containers)
      if (kind === 'app' && role)
        yield {
          path: [...path, 'name'],
          message: `keeps a Pod with restartPolicy: ${policy} from ever completing; make it a native sidecar`,
        };
  },
});
