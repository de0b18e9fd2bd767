// The kinds that run Pods, and where each holds the Pod's template.

import { isObject, type Path, valueAt } from './path.ts';

/** From the root of the document to the map that has the Pod's metadata and spec. */
const templates = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
} as const;

export type WorkloadKind = keyof typeof templates;

export const workloadKinds = Object.keys(templates) as readonly WorkloadKind[];

export const isWorkloadKind = (kind: string): kind is WorkloadKind => Object.hasOwn(templates, kind);

export const templatePath = (kind: WorkloadKind): readonly string[] => templates[kind];

/** The Pod as the workload would make it; its name stands for those that its controller gives. */
export function podOf(kind: WorkloadKind, value: unknown, name: string): Record<string, unknown> {
  if (kind === 'Pod') return value as Record<string, unknown>;
  const template = valueAt(value, templatePath(kind));
  const { metadata, spec } = isObject(template) ? template : ({} as Record<string, unknown>);
  const namespace = valueAt(value, ['metadata', 'namespace']);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...(namespace !== undefined && { namespace }), ...(isObject(metadata) && metadata), name },
    ...(spec !== undefined && { spec }),
  };
}

/** Of a path inside the Pod, the path in the workload's document. */
export const inTemplate = (kind: WorkloadKind, path: Path): Path => [...templatePath(kind), ...path];

/** The volumes that each Pod of a StatefulSet gets from its claims. */
export function claimedVolumes(value: unknown): string[] {
  const claims = valueAt(value, ['spec', 'volumeClaimTemplates']);
  if (!Array.isArray(claims)) return [];
  return claims.map((claim) => valueAt(claim, ['metadata', 'name'])).filter((name) => typeof name === 'string');
}
