// What the API server wants of a Pod's template, which is more than of a Pod.

import { isObject, valueAt } from '../../manifest/path.ts';
import { defineRule } from '../rule.ts';

export const controllers = defineRule({
  name: 'controllers',
  severity: 'error',
  *check({ manifest: { kind, pod, document } }) {
    if (kind === 'Pod') return;
    const policy = pod.spec?.restartPolicy;
    const job = kind === 'Job' || kind === 'CronJob';
    if (job && policy !== 'OnFailure' && policy !== 'Never')
      yield { path: ['spec', 'restartPolicy'], message: `OnFailure or Never is expected for a ${kind}` };
    if (!job && policy !== undefined && policy !== 'Always')
      yield { path: ['spec', 'restartPolicy'], message: `only Always is allowed for a ${kind}` };
    const wanted = job ? undefined : valueAt(document.value, ['spec', 'selector', 'matchLabels']);
    for (const [label, value] of Object.entries(isObject(wanted) ? wanted : {}))
      if (pod.metadata?.labels?.[label] !== value)
        yield {
          path: ['metadata', 'labels', label],
          message: `spec.selector.matchLabels of the ${kind} wants "${value}" here`,
        };
  },
});
