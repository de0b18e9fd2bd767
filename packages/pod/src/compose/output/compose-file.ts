// A composed Pod as a Compose file: a service that owns the network, and every container a service that joins it.
//
// The owner runs nothing but pause, so that it never has to be started again: whoever joined the network of a container that
// was replaced has none.

import type { Scalar, YAMLMap } from 'yaml';
import { type ContainerEntry, containersOf } from '../../manifest/containers.ts';
import type { Objects, Pod } from '../../manifest/manifest.ts';
import { isObject } from '../../manifest/path.ts';
import { podOf, type WorkloadKind } from '../../manifest/workload.ts';
import { applied } from '../apply.ts';
import { conditionOf } from './compose-health.ts';
import { notesOf } from './compose-notes.ts';
import { serviceOf } from './compose-service.ts';
import { type ComposeVolumes, volumesOf } from './compose-volumes.ts';
import type { Workload, WriteOutput } from './output.ts';
import { newDocument, printYaml } from './print.ts';

export type ComposeFileOptions = {
  /** Those of the workload's file: what volumes and variables hold. */
  readonly objects: Objects;
  /** `outrigger/pause`: catatonit -P, and directories /volumes/0 to /volumes/15 that anybody may write to. */
  readonly pauseImage: string;
};

const comment = ' docker compose up --detach, or podman-compose up --detach';

export const composeFile: WriteOutput<ComposeFileOptions> = (workload, additions, { objects, pauseImage }) => {
  const pod = composedPod(workload, applied(workload, additions));
  const containers = containersOf(pod);
  const notes: string[] = notesOf(workload, pod);
  const volumes = volumesOf(pod, objects, notes);
  const owner = containers.some(({ name }) => name === 'pause') ? 'pod' : 'pause';
  const around = { pod, objects, volumes, owner, notes };
  const services = Object.fromEntries(
    containers.map((entry, index) => [
      entry.name,
      { ...serviceOf(entry, around), depends_on: dependenciesOf(containers, index, owner) },
    ]),
  );
  const file = {
    name: pod.metadata?.name,
    services: { [owner]: ownerOf(pod, { containers, volumes, image: pauseImage }), ...services },
    ...(Object.keys(volumes.named).length > 0 && { volumes: volumes.named }),
  };
  return {
    files: [{ name: 'compose.yaml', text: print(file) }, ...volumes.files],
    notes,
  };
};

function composedPod({ kind, metadata }: Workload, composed: Workload): Pod {
  const name = isObject(metadata) ? metadata.name : undefined;
  return podOf(kind as WorkloadKind, composed, String(name ?? 'pod')) as unknown as Pod;
}

type Owner = {
  readonly containers: readonly ContainerEntry[];
  readonly volumes: ComposeVolumes;
  readonly image: string;
};

function ownerOf({ metadata, spec }: Pod, { containers, volumes, image }: Owner): Record<string, unknown> {
  const ports = containers.flatMap(({ container }) => [...(container.ports ?? [])]);
  const published = ports.map(({ containerPort, hostPort, hostIP, protocol = 'TCP' }) => {
    // What a Pod listens on is reached from this machine alone, unless the manifest says otherwise.
    const from = hostPort ? `${hostIP ? `${hostIP}:` : ''}${hostPort}` : `127.0.0.1:${containerPort}`;
    return `${from}:${containerPort}${protocol === 'TCP' ? '' : `/${protocol.toLowerCase()}`}`;
  });
  const hosts = [...(spec?.hostAliases ?? [])].flatMap(({ ip, hostnames = [] }) =>
    hostnames.map((name) => `${name}:${ip}`),
  );
  return {
    image,
    restart: 'no',
    ...(spec?.hostNetwork
      ? { network_mode: 'host' }
      : {
          hostname: spec?.hostname ?? metadata?.name,
          ...(published.length > 0 && { ports: [...new Set(published)] }),
          ...(hosts.length > 0 && { extra_hosts: hosts }),
        }),
    user: '65532:65532',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges'],
    // A named volume takes over owner and mode of the first directory it is mounted on.
    ...(volumes.shared.length > 0 && { volumes: volumes.shared.map((name, index) => `${name}:/volumes/${index}`) }),
  };
}

/** Sidecars start in their order; what comes after them waits until all of them have started. */
function dependenciesOf(
  containers: readonly ContainerEntry[],
  index: number,
  owner: string,
): Record<string, { condition: string }> {
  const { kind } = containers[index]!;
  const before = containers.slice(0, index).filter((each) => each.kind !== 'app');
  return {
    [owner]: { condition: 'service_started' },
    ...Object.fromEntries(before.map((each) => [each.name, { condition: conditionOf(each, kind) }])),
  };
}

/** Compose fills in what follows a single dollar. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escaped);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)])) : value;
}

function print(file: unknown): string {
  const document = newDocument(escaped(file));
  const services = document.get('services') as YAMLMap<Scalar>;
  for (const { key } of services.items.slice(1)) key.spaceBefore = true;
  return printYaml(document, { comment, flow: 80 });
}
