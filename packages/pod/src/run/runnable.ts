// What a manifest needs beyond being right, so that this machine can run it.

import { existsSync } from 'node:fs';
import { defineRule, type Found } from '../check/rule.ts';
import { type ContainerEntry, probeKinds, probeOf } from '../manifest/containers.ts';
import { environmentOf } from '../manifest/environment.ts';
import { sidecarWords } from '../manifest/parameters.ts';
import { payloadOf } from '../manifest/payload.ts';

const volumeKinds = ['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI', 'hostPath'];
const identity = { uid: '' };

export const runnable = defineRule({
  name: 'runnable',
  severity: 'error',
  *check({ manifest, containers }) {
    for (const entry of containers) {
      yield* command(entry);
      for (const kind of probeKinds)
        if (probeOf(entry.container, kind)?.grpc)
          yield {
            path: [...entry.path, `${kind}Probe`, 'grpc'],
            message: 'is not asked on this machine; the probe counts as absent',
            severity: 'warning',
          };
      for (const { what, reason, path } of environmentOf(entry, { ...manifest, identity }).unresolved)
        if (what === 'object') yield { path, message: `${reason}, and this machine has no cluster` };
    }
    for (const [index, volume] of [...(manifest.pod.spec?.volumes ?? [])].entries()) {
      const path = ['spec', 'volumes', index];
      const kind = Object.keys(volume).find((key) => key !== 'name');
      if (kind && !volumeKinds.includes(kind))
        yield { path: [...path, kind], message: `this machine cannot run a volume of the kind ${kind}` };
      if (volume.hostPath && !existsSync(volume.hostPath.path))
        yield { path: [...path, 'hostPath', 'path'], message: `"${volume.hostPath.path}" does not exist` };
      for (const missing of payloadOf(volume, { ...manifest, identity })?.unresolved ?? [])
        if (missing.what === 'object')
          yield { path: [...path, ...missing.path], message: `${missing.reason}, and this machine has no cluster` };
    }
  },
});

function* command(entry: ContainerEntry): Iterable<Found> {
  if (entry.local !== undefined) return;
  const { container, name, path, role } = entry;
  const remedy = `metadata.annotations["outrigger.dev/local.${name}"] can say what to run instead`;
  if (!role)
    yield { path: [...path, 'image'], message: `"${container.image}" is not an image of the toolkit; ${remedy}` };
  else if (!sidecarWords(entry))
    yield { path: [...path, 'command'], message: `"${container.command?.[0]}" is in the image only; ${remedy}` };
}
