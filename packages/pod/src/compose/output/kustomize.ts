// Additions as a Kustomize component: a directory that a kustomization names under `components`.

import { isObject } from '../../manifest/path.ts';
import type { Workload, WriteOutput } from './output.ts';
import { printYaml } from './print.ts';
import { strategicMergeOf } from './strategic-merge.ts';

const comment = ' In the kustomization that has the workload: components: [./outrigger]';

export const kustomizeComponent: WriteOutput = (workload, additions) => {
  const component = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: [{ path: 'sidecars.yaml', target: targetOf(workload) }],
  };
  const patch = strategicMergeOf(workload, additions);
  return {
    files: [
      { name: 'kustomization.yaml', text: printYaml(component, { comment }) },
      { name: 'sidecars.yaml', text: printYaml(patch) },
    ],
    notes: [],
  };
};

function targetOf({ apiVersion, kind, metadata }: Workload): Record<string, unknown> {
  const [version, group] = String(apiVersion).split('/').toReversed();
  const name = isObject(metadata) ? metadata.name : undefined;
  return { ...(group !== undefined && { group }), version, kind, ...(name !== undefined && { name }) };
}
