// What a JSON patch and a strategic-merge patch do to a value, as small as that can be said. The real kubectl and kustomize
// are asked in test/system/compose.test.ts.

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../../src/manifest/path.ts';

type Mapping = Record<string, unknown>;
export type Patch = readonly { readonly op: string; readonly path: string; readonly value?: unknown }[];

/** Throws when a test fails; then nothing is changed. */
export function patched<T>(original: T, patch: Patch): T {
  const root = { '': structuredClone(original) as unknown };
  for (const { op, path, value } of patch) {
    const keys = [
      '',
      ...path
        .split('/')
        .slice(1)
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')),
    ];
    const last = keys.pop()!;
    const parent = keys.reduce<unknown>((held, key) => {
      if (!isObject(held) || !Object.hasOwn(held, key)) throw new Error(`${op} ${path}: no ${key}`);
      return held[key];
    }, root);
    if (!isObject(parent)) throw new Error(`${op} ${path}: in no map and no list`);
    if (op === 'test') test(parent, { key: last, path, value });
    else if (op === 'add') add(parent, { key: last, path, value: structuredClone(value) });
    else throw new Error(`${op}: not known`);
  }
  return root[''] as T;
}

type At = { readonly key: string; readonly path: string; readonly value: unknown };

/** Of a map, null is what is not there, too: so do kubectl and the API server read it. */
function test(parent: Mapping, { key, path, value }: At): void {
  if (Array.isArray(parent) && !(Number(key) < parent.length)) throw new Error(`test ${path}: out of range`);
  if (!isDeepStrictEqual(parent[key] ?? null, value)) throw new Error(`test ${path}: ${JSON.stringify(parent[key])}`);
}

function add(parent: Mapping, { key, path, value }: At): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === '-') parent.push(value);
  else if (/^\d+$/.test(key) && Number(key) <= parent.length) parent.splice(Number(key), 0, value);
  else throw new Error(`add ${path}: out of range`);
}

/** Whose items merge, and by what. All other lists are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  initContainers: 'name',
  containers: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

/** Where items that are new come to stand, when the patch does not name all: the one thing the two do differently. */
export type NewItems = 'first' | 'last';

export function merged(original: unknown, patch: unknown, newItems: NewItems): unknown {
  if (!isObject(patch) || Array.isArray(patch)) return patch;
  const result: Mapping = isObject(original) ? { ...original } : {};
  for (const [field, value] of Object.entries(patch)) {
    const key = mergeKeys[field];
    result[field] =
      key && Array.isArray(value)
        ? mergedList((result[field] ?? []) as Mapping[], value as Mapping[], { key, newItems })
        : merged(result[field], value, newItems);
  }
  return result;
}

function mergedList(
  original: readonly Mapping[],
  patch: readonly Mapping[],
  { key, newItems }: { key: string; newItems: NewItems },
): unknown[] {
  const of = (list: readonly Mapping[], item: Mapping) => list.find((each) => each[key] === item[key]);
  const given = patch.map((item) => merged(of(original, item), item, newItems));
  const others = original.filter((item) => !of(patch, item));
  return newItems === 'first' ? [...given, ...others] : [...others, ...given];
}
