// The forms in which additions are written down. To add one: a file in output/, and a line here and in `--output`.

import manifest from '../../package.json' with { type: 'json' };
import type { Objects } from '../manifest/manifest.ts';
import type { Addition } from './addition.ts';
import type { Output, Workload, WriteOutput } from './output/output.ts';

/** `yaml` is the manifest itself. */
export const outputNames = ['yaml', 'json-patch', 'strategic-merge', 'kustomize', 'policy', 'compose-file'] as const;

export type OutputName = (typeof outputNames)[number];

/** @param objects the ConfigMaps and Secrets of the workload's file */
type Write = (workload: Workload, additions: readonly Addition[], objects: Objects) => Output;

/** It wants nothing but the additions. */
const alone =
  (write: WriteOutput): Write =>
  (workload, additions) =>
    write(workload, additions);

/** Loaded when one is asked for. */
export const outputs: Readonly<Record<Exclude<OutputName, 'yaml'>, () => Promise<Write>>> = {
  'json-patch': async () => alone((await import('./output/json-patch.ts')).jsonPatch),
  'strategic-merge': async () => alone((await import('./output/strategic-merge.ts')).strategicMerge),
  kustomize: async () => alone((await import('./output/kustomize.ts')).kustomizeComponent),
  policy: async () => {
    const { admissionPolicy } = await import('./output/policy.ts');
    return (workload, additions) => admissionPolicy(workload, additions, {});
  },
  'compose-file': async () => {
    const { composeFile } = await import('./output/compose-file.ts');
    const pauseImage = `outrigger/pause:${manifest.version}`;
    return (workload, additions, objects) => composeFile(workload, additions, { objects, pauseImage });
  },
};
