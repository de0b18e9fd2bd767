// Which workload of a file is composed, and what it was before.

import { listed, nearest } from '@outrigger/core';
import { kindOf, nameOf } from '../manifest/manifest.ts';
import type { Source, SourceDocument } from '../manifest/source.ts';
import { isWorkloadKind, type WorkloadKind, workloadKinds } from '../manifest/workload.ts';

export type Workload = {
  readonly document: SourceDocument;
  readonly kind: WorkloadKind;
  /** As its document says it, with null where it says null. */
  readonly value: unknown;
};

/**
 * The one that is named, or the only one.
 * @param wanted `Deployment/web`; the kind in any case
 * @returns why there is none, as a string
 */
export function findWorkload(source: Source, wanted: string | undefined): Workload | string {
  const workloads = source.documents.filter((document) => isWorkloadKind(kindOf(document)));
  const titles = workloads.map(titleOf);
  if (workloads.length === 0) return `${source.file}: there is no ${listed(workloadKinds)} in the file`;
  if (wanted !== undefined) {
    const index = titles.findIndex((title) => title.toLowerCase() === wanted.toLowerCase());
    if (index >= 0) return workloadOf(workloads[index]!);
    const guess = nearest(wanted, titles);
    return `${source.file}: there is no ${wanted} in the file${guess ? `; did you mean ${guess}?` : `, but ${listed(titles)}`}`;
  }
  if (workloads.length > 1)
    return `${source.file}: several workloads are in the file: give --workload ${listed(titles)}`;
  return workloadOf(workloads[0]!);
}

const titleOf = (document: SourceDocument): string => `${kindOf(document)}/${nameOf(document)}`;

export const workloadOf = (document: SourceDocument): Workload => ({
  document,
  kind: kindOf(document) as WorkloadKind,
  value: document.yaml.toJS({ maxAliasCount: 1000 }),
});
