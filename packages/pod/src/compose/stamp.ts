// Annotations of the Pod's template: the list of sidecars, and the stamp, which says what was added, for whom and by whom.

import { createHash } from 'node:crypto';
import manifest from '../../package.json' with { type: 'json' };
import { isObject, valueAt } from '../manifest/path.ts';
import { templatePath, type WorkloadKind } from '../manifest/workload.ts';
import type { AddedField } from './addition.ts';

export const stampName = 'outrigger.dev/composed';
export const listName = 'outrigger.dev/sidecars';

export type Stamp = {
  readonly version: string;
  /** Of the list: another one means that it is composed anew. */
  readonly input: string;
  readonly added: readonly string[];
};

export const annotationsPath = (kind: WorkloadKind) => [...templatePath(kind), 'metadata', 'annotations'];

export const annotation = (kind: WorkloadKind, name: string, value: string): AddedField => ({
  map: annotationsPath(kind),
  field: name,
  value,
});

export const stamp = (kind: WorkloadKind, list: unknown, added: readonly string[]): AddedField =>
  annotation(
    kind,
    stampName,
    JSON.stringify({ version: manifest.version, input: hashOf(list), added } satisfies Stamp),
  );

/** The text of an annotation of the template. */
export function annotationOf(kind: WorkloadKind, workload: unknown, name: string): string | undefined {
  const value = valueAt(workload, [...annotationsPath(kind), name]);
  return typeof value === 'string' ? value : undefined;
}

/** undefined when nothing was composed, null for what is no stamp. */
export function stampOf(kind: WorkloadKind, workload: unknown): Stamp | null | undefined {
  const written = annotationOf(kind, workload, stampName);
  if (written === undefined) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(written);
  } catch {
    return null;
  }
  return isStamp(read) ? read : null;
}

const isStamp = (value: unknown): value is Stamp =>
  isObject(value) &&
  typeof value.version === 'string' &&
  typeof value.input === 'string' &&
  Array.isArray(value.added) &&
  value.added.every((each) => typeof each === 'string');

/** The same for the same list, however it is written. */
export const hashOf = (list: unknown): string =>
  `sha256:${createHash('sha256')
    .update(JSON.stringify(canonical(list)))
    .digest('hex')}`;

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, canonical(value[key])]),
  );
}
