// Volumes and where they are mounted.

import { nearest } from '@outrigger/core';
import { claimedVolumes } from '../../manifest/workload.ts';
import { defineRule, type Found } from '../rule.ts';

export const volumes = defineRule({
  name: 'volumes',
  severity: 'error',
  *check({ manifest: { pod, document }, containers }) {
    const declared = [...(pod.spec?.volumes ?? [])];
    const names = [...declared.map(({ name }) => name ?? ''), ...claimedVolumes(document.value)];
    const used = new Set<string>();
    for (const { container, path } of containers) {
      const taken = new Set<string>();
      for (const [index, mount] of [...(container.volumeMounts ?? [])].entries()) {
        const at = [...path, 'volumeMounts', index];
        used.add(mount.name);
        if (mount.name && !names.includes(mount.name))
          yield { path: [...at, 'name'], message: missing(mount.name, names) };
        if (mount.mountPath && !mount.mountPath.startsWith('/'))
          yield {
            path: [...at, 'mountPath'],
            message: `"${mount.mountPath}" is not an absolute path`,
            severity: 'warning',
          };
        if (mount.mountPath && taken.has(mount.mountPath))
          yield {
            path: [...at, 'mountPath'],
            message: `"${mount.mountPath}" is the mount path of another volume, too`,
          };
        taken.add(mount.mountPath);
        for (const field of ['subPath', 'subPathExpr'] as const)
          if (mount[field] && escapes(mount[field])) yield { path: [...at, field], message: escaping(mount[field]) };
      }
    }
    for (const [index, volume] of declared.entries()) {
      const path = ['spec', 'volumes', index];
      const kinds = Object.keys(volume).filter((key) => key !== 'name');
      // Without a kind it is an emptyDir.
      if (kinds.length > 1) yield { path, message: `a volume has one kind, this one has ${kinds.join(' and ')}` };
      if (volume.name && !used.has(volume.name))
        yield { path: [...path, 'name'], message: `no container mounts "${volume.name}"`, severity: 'warning' };
      yield* items(volume.configMap?.items ?? volume.secret?.items, [
        ...path,
        volume.configMap ? 'configMap' : 'secret',
      ]);
    }
  },
});

function missing(name: string, names: readonly string[]): string {
  const guess = nearest(name, names);
  return `no volume is named "${name}"${guess ? `; did you mean ${guess}?` : ''}`;
}

function* items(list: readonly { path: string }[] | undefined, path: Found['path']): Iterable<Found> {
  for (const [index, item] of [...(list ?? [])].entries())
    if (item.path && escapes(item.path))
      yield { path: [...path, 'items', index, 'path'], message: escaping(item.path) };
}

const escapes = (path: string) => path.startsWith('/') || path.split('/').includes('..');
const escaping = (path: string) => `"${path}" leads out of the volume; a relative path without ".." is expected`;
