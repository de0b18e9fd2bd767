// References to keys of ConfigMaps and Secrets, and to fields of the Pod.

import { environmentOf } from '../../manifest/environment.ts';
import type { Missing } from '../../manifest/lookup.ts';
import { payloadOf } from '../../manifest/payload.ts';
import { defineRule, type Found } from '../rule.ts';

const identity = { uid: '' };

export const references = defineRule({
  name: 'references',
  severity: 'error',
  *check({ manifest, containers }) {
    for (const entry of containers)
      for (const missing of environmentOf(entry, { ...manifest, identity }).unresolved) yield found(missing);
    for (const [index, volume] of [...(manifest.pod.spec?.volumes ?? [])].entries())
      for (const missing of payloadOf(volume, { ...manifest, identity })?.unresolved ?? [])
        yield found({ ...missing, path: ['spec', 'volumes', index, ...missing.path] });
  },
});

/** An object that is not in the file may be in the cluster. */
const found = ({ what, reason, path }: Missing & Pick<Found, 'path'>): Found => ({
  path,
  message: reason,
  severity: what === 'object' ? 'warning' : 'error',
});
