// Keys of ConfigMaps and Secrets, as they are or with the reason why they are not there.

import type { Objects } from './manifest.ts';

export type ObjectKind = 'ConfigMap' | 'Secret';

export type Missing = {
  /** `object`: not in this file, though it may be in the cluster. `value`: it is here and lacks the key. */
  readonly what: 'object' | 'value';
  readonly reason: string;
};

export type Data = { readonly data: ReadonlyMap<string, Buffer> } | { readonly missing: Missing };

export function dataOf(objects: Objects, kind: ObjectKind, name: string): Data {
  const found = kind === 'ConfigMap' ? objects.configMaps.get(name) : objects.secrets.get(name);
  if (!found) return { missing: { what: 'object', reason: `${kind} "${name}" is not in this file` } };
  const data = new Map<string, Buffer>();
  const encoded = 'binaryData' in found ? found.binaryData : kind === 'Secret' ? found.data : undefined;
  for (const [key, value] of Object.entries(encoded ?? {})) data.set(key, Buffer.from(String(value), 'base64'));
  const plain = kind === 'ConfigMap' ? found.data : 'stringData' in found ? found.stringData : undefined;
  for (const [key, value] of Object.entries(plain ?? {})) data.set(key, Buffer.from(String(value)));
  return { data };
}

type KeyRef = { readonly name?: string; readonly key?: string };

export function valueOfKey(objects: Objects, kind: ObjectKind, { name = '', key }: KeyRef): Buffer | Missing {
  // The schema complains.
  if (key === undefined) return Buffer.alloc(0);
  const found = dataOf(objects, kind, name);
  if ('missing' in found) return found.missing;
  return found.data.get(key) ?? { what: 'value', reason: `${kind} "${name}" has no key "${key}"` };
}
