// A manifest: one workload and the ConfigMaps and Secrets in the same file.

import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IPod } from 'kubernetes-models/v1/Pod';
import type { ISecret } from 'kubernetes-models/v1/Secret';
import { isObject } from './path.ts';
import type { Source, SourceDocument } from './source.ts';
import { podOf, type WorkloadKind } from './workload.ts';

export type Pod = IPod;

export type Objects = {
  readonly configMaps: ReadonlyMap<string, IConfigMap>;
  readonly secrets: ReadonlyMap<string, ISecret>;
};

export type Manifest = Objects & {
  readonly source: Source;
  readonly document: SourceDocument;
  readonly kind: WorkloadKind;
  /** Of another kind than a Pod, what its template makes. */
  readonly pod: Pod;
  readonly name: string;
};

export const kindOf = ({ value }: SourceDocument): string =>
  isObject(value) && typeof value.kind === 'string' ? value.kind : '';

export const nameOf = ({ value }: SourceDocument): string => {
  const metadata = isObject(value) ? value.metadata : undefined;
  return isObject(metadata) && typeof metadata.name === 'string' ? metadata.name : '';
};

/** @param document the workload's. */
export function openManifest(source: Source, document: SourceDocument): Manifest {
  const kind = kindOf(document) as WorkloadKind;
  const name = nameOf(document);
  const named = <T>(kind: string) =>
    new Map(source.documents.filter((each) => kindOf(each) === kind).map((each) => [nameOf(each), each.value as T]));
  return {
    source,
    document,
    kind,
    pod: podOf(kind, document.value, name) as unknown as Pod,
    name,
    configMaps: named<IConfigMap>('ConfigMap'),
    secrets: named<ISecret>('Secret'),
  };
}
