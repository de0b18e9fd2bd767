// The files of a ConfigMap, Secret, downward API or projected volume.

import type { IConfigMapProjection } from 'kubernetes-models/v1/ConfigMapProjection';
import type { IDownwardAPIProjection } from 'kubernetes-models/v1/DownwardAPIProjection';
import type { IKeyToPath } from 'kubernetes-models/v1/KeyToPath';
import type { ISecretProjection } from 'kubernetes-models/v1/SecretProjection';
import { containersOf, type Volume } from './containers.ts';
import { fieldValue, type Identity, resourceValue } from './downward.ts';
import { dataOf, type Missing, type ObjectKind } from './lookup.ts';
import type { Objects, Pod } from './manifest.ts';
import type { Path } from './path.ts';

export type PayloadFile = { readonly content: Buffer; readonly mode: number };

export type Payload = {
  /** By path inside the volume. */
  readonly files: ReadonlyMap<string, PayloadFile>;
  readonly unresolved: readonly (Missing & { readonly path: Path })[];
};

type Around = Objects & { readonly pod: Pod; readonly identity: Identity };

type Source = {
  readonly path: Path;
  readonly mode: number;
  readonly configMap?: IConfigMapProjection | undefined;
  readonly secret?: ISecretProjection | undefined;
  readonly downwardAPI?: IDownwardAPIProjection | undefined;
};

/** undefined for a volume that no object fills. A path in `unresolved` starts at the volume. */
export function payloadOf(volume: Volume, around: Around): Payload | undefined {
  const sources = sourcesOf(volume);
  if (!sources) return undefined;
  const files = new Map<string, PayloadFile>();
  const unresolved: (Missing & { path: Path })[] = [];
  for (const source of sources) (source.downwardAPI ? fillDownward : fill)(source, around, { files, unresolved });
  return { files, unresolved };
}

function sourcesOf(volume: Volume): Source[] | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return [{ path: ['configMap'], mode: configMap.defaultMode ?? 0o644, configMap }];
  if (downwardAPI) return [{ path: ['downwardAPI'], mode: downwardAPI.defaultMode ?? 0o644, downwardAPI }];
  if (secret) {
    const { secretName, defaultMode = 0o644, ...rest } = secret;
    return [{ path: ['secret'], mode: defaultMode, secret: { ...rest, ...(secretName && { name: secretName }) } }];
  }
  return projected
    ? [...(projected.sources ?? [])].map((source, index) => ({
        ...source,
        path: [
          'projected',
          'sources',
          index,
          source.configMap ? 'configMap' : source.secret ? 'secret' : 'downwardAPI',
        ],
        mode: projected.defaultMode ?? 0o644,
      }))
    : undefined;
}

type Filling = { readonly files: Map<string, PayloadFile>; readonly unresolved: (Missing & { path: Path })[] };

function fill(source: Source, around: Around, filling: Filling): void {
  const kind: ObjectKind = source.secret ? 'Secret' : 'ConfigMap';
  const { name = '', items, optional } = source.secret ?? source.configMap ?? { optional: true };
  const found = dataOf(around, kind, name);
  if ('missing' in found) {
    if (!optional) filling.unresolved.push({ ...found.missing, path: source.path });
    return;
  }
  const wanted: readonly IKeyToPath[] = items ? [...items] : [...found.data.keys()].map((key) => ({ key, path: key }));
  for (const [index, { key, path, mode }] of wanted.entries()) {
    // The schema complains.
    if (key === undefined || path === undefined) continue;
    const content = found.data.get(key);
    if (content) filling.files.set(path, { content, mode: mode ?? source.mode });
    else if (!optional)
      filling.unresolved.push({
        what: 'value',
        reason: `${kind} "${name}" has no key "${key}"`,
        path: [...source.path, 'items', index, 'key'],
      });
  }
}

function fillDownward(source: Source, { pod, identity }: Around, { files, unresolved }: Filling): void {
  const containers = containersOf(pod);
  for (const [index, item] of [...(source.downwardAPI?.items ?? [])].entries()) {
    const container = containers.find(({ name }) => name === item.resourceFieldRef?.containerName)?.container;
    const value = item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, identity)
      : item.resourceFieldRef && container && resourceValue(container, item.resourceFieldRef);
    if (value !== undefined) files.set(item.path, { content: Buffer.from(value), mode: item.mode ?? source.mode });
    else
      unresolved.push({
        what: 'value',
        reason: 'the downward API has no such field',
        path: [...source.path, 'items', index],
      });
  }
}
