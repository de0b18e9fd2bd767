// ConfigMaps and Secrets that change in the manifest while the Pod runs.

import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '@outrigger/core';
import type { Manifest, Objects } from '../manifest/manifest.ts';
import { admit } from './admit.ts';
import type { PodContext } from './context.ts';

/** Takes over what a new text says of them; when it is wrong the old stays. @param first the manifest that is run. */
export async function followObjects(text: string, first: Manifest, context: PodContext): Promise<void> {
  const { log, volumes, overrides } = context;
  const admitted = await admit(first.source.file, text, overrides);
  if ('refused' in admitted)
    return log.say(['The changed manifest is refused and the old one stays:', ...admitted.refused].join('\n'));
  const { manifest } = admitted;
  if (!isDeepStrictEqual(manifest.pod, first.pod))
    log.say('The Pod itself changed in the manifest: that takes effect when it is run again');
  const objects = changeable(context.objects, manifest);
  context.objects = objects;
  const changed = await volumes.lay({ ...first, ...objects }).catch((error: unknown) => {
    log.say(`The volumes cannot be brought up to date: ${reasonOf(error)}`);
    return [];
  });
  if (changed.length > 0)
    log.say(`The manifest changed: ${changed.join(', ')} ${changed.length > 1 ? 'are' : 'is'} up to date`);
}

/** An immutable object stays as it was. */
function changeable(old: Objects, fresh: Objects): Objects {
  return { configMaps: merge(old.configMaps, fresh.configMaps), secrets: merge(old.secrets, fresh.secrets) };
}

function merge<T extends { immutable?: boolean }>(old: ReadonlyMap<string, T>, fresh: ReadonlyMap<string, T>) {
  return new Map([...fresh, ...[...old].filter(([, object]) => object.immutable)]);
}
