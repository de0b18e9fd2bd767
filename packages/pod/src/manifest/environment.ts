// The environment variables of a container, as the kubelet puts them together.

import type { IEnvVar } from 'kubernetes-models/v1/EnvVar';
import type { IEnvVarSource } from 'kubernetes-models/v1/EnvVarSource';
import type { ContainerEntry } from './containers.ts';
import { fieldValue, type Identity, resourceValue } from './downward.ts';
import { expand } from './expand.ts';
import { dataOf, type Missing, type ObjectKind, valueOfKey } from './lookup.ts';
import type { Objects, Pod } from './manifest.ts';
import type { Path } from './path.ts';

/** A variable without a value; without a name it stands for all of an envFrom. */
export type Unresolved = Missing & { readonly name?: string; readonly path: Path };

export type Environment = {
  readonly values: Readonly<Record<string, string>>;
  readonly unresolved: readonly Unresolved[];
};

type Around = Objects & { readonly pod: Pod; readonly identity: Identity };

/** envFrom first, then env in its order: each may refer to those before it, and a later one wins. */
export function environmentOf(entry: ContainerEntry, around: Around): Environment {
  const values: Record<string, string> = {};
  const unresolved: Unresolved[] = [];

  for (const [index, source] of [...(entry.container.envFrom ?? [])].entries()) {
    const [kind, ref] = source.secretRef
      ? (['Secret', source.secretRef] as const)
      : (['ConfigMap', source.configMapRef] as const);
    const found = dataOf(around, kind, ref?.name ?? '');
    if ('data' in found)
      for (const [key, value] of found.data) values[`${source.prefix ?? ''}${key}`] = value.toString('utf8');
    else if (!ref?.optional)
      unresolved.push({ ...found.missing, path: [...entry.path, 'envFrom', index, refField(kind)] });
  }

  for (const [index, variable] of [...(entry.container.env ?? [])].entries()) {
    const value = variableValue(variable, values, entry, around);
    const name = variable.name ?? '';
    if (typeof value === 'string') values[name] = value;
    else if (value) unresolved.push({ ...value, name, path: [...entry.path, 'env', index, ...value.path] });
  }
  return { values, unresolved };
}

const refField = (kind: ObjectKind) => (kind === 'Secret' ? 'secretRef' : 'configMapRef');

type Without = Missing & { readonly path: Path };

/** undefined for an optional reference to what is not there: the variable is left out. */
function variableValue(
  { value, valueFrom }: IEnvVar,
  before: Readonly<Record<string, string>>,
  entry: ContainerEntry,
  around: Around,
): string | Without | undefined {
  if (!valueFrom || value) return expand(String(value ?? ''), before);
  const { configMapKeyRef, secretKeyRef } = valueFrom;
  const ref = configMapKeyRef ?? secretKeyRef;
  if (!ref) return aboutPod(valueFrom, entry, around);
  const found = valueOfKey(around, configMapKeyRef ? 'ConfigMap' : 'Secret', ref);
  if (Buffer.isBuffer(found)) return found.toString('utf8');
  const field = configMapKeyRef ? 'configMapKeyRef' : 'secretKeyRef';
  if (ref.optional) return undefined;
  return { ...found, path: ['valueFrom', field, found.what === 'object' ? 'name' : 'key'] };
}

function aboutPod(
  { fieldRef, resourceFieldRef }: IEnvVarSource,
  { container }: ContainerEntry,
  { pod, identity }: Around,
): string | Without {
  const asked = fieldRef ? fieldRef.fieldPath : resourceFieldRef?.resource;
  const value = fieldRef
    ? fieldValue(pod, fieldRef.fieldPath, identity)
    : resourceFieldRef && resourceValue(container, resourceFieldRef);
  if (value !== undefined) return value;
  if (asked === undefined)
    return { what: 'object', reason: 'where the value comes from is only known in the cluster', path: ['valueFrom'] };
  const path = fieldRef ? ['valueFrom', 'fieldRef', 'fieldPath'] : ['valueFrom', 'resourceFieldRef', 'resource'];
  return { what: 'value', reason: `the downward API has no "${asked}"`, path };
}
