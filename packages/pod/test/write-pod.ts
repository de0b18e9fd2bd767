// Manifests for tests, written as JSON (of which YAML is a superset).

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { ISecret } from 'kubernetes-models/v1/Secret';

/** A container whose image is not the toolkit's, with the shell command that stands for it. */
export type TestContainer = Partial<IContainer> & { readonly name: string; readonly local?: string };

export type TestPod = {
  readonly name?: string;
  readonly init?: readonly TestContainer[];
  readonly apps?: readonly TestContainer[];
  readonly spec?: Partial<IPodSpec>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly configMaps?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export const defaultApp: TestContainer = { name: 'app', local: 'sleep 600' };

export async function writePod(directory: string, pod: TestPod): Promise<string> {
  const file = join(directory, 'pod.yaml');
  await writeFile(file, podText(pod));
  return file;
}

export function podText({ name = 'test', init = [], apps = [defaultApp], spec = {}, ...rest }: TestPod): string {
  const local = Object.fromEntries(
    [...init, ...apps].flatMap((each) =>
      each.local === undefined ? [] : [[`outrigger.dev/local.${each.name}`, each.local]],
    ),
  );
  const container = ({ local: _, ...fields }: TestContainer) => ({ image: 'test', ...fields });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: rest.labels ?? {}, annotations: { ...local, ...rest.annotations } },
    spec: {
      terminationGracePeriodSeconds: 5,
      ...spec,
      ...(init.length > 0 && { initContainers: init.map(container) }),
      containers: apps.map(container),
    },
  };
  const configMaps = Object.entries(rest.configMaps ?? {}).map(
    ([each, data]): IConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: each }, data }),
  );
  const secrets = Object.entries(rest.secrets ?? {}).map(
    ([each, stringData]): ISecret => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: each }, stringData }),
  );
  return [pod, ...configMaps, ...secrets].map((each) => JSON.stringify(each, null, 2)).join('\n---\n');
}
