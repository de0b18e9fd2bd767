// What a Compose file has no word for.

import { containersOf } from '../../manifest/containers.ts';
import type { Pod } from '../../manifest/manifest.ts';
import { type Path, valueAt } from '../../manifest/path.ts';
import type { Workload } from './output.ts';

/** Of a Pod's spec: written down, or without a meaning outside of a cluster. */
const podFields = new Set([
  ...['initContainers', 'containers', 'volumes', 'securityContext', 'shareProcessNamespace', 'restartPolicy'],
  ...['terminationGracePeriodSeconds', 'hostname', 'hostAliases', 'hostNetwork', 'automountServiceAccountToken'],
  ...['enableServiceLinks', 'serviceAccountName', 'serviceAccount', 'nodeName', 'schedulerName', 'dnsPolicy'],
]);

const containerFields = new Set([
  ...['name', 'image', 'imagePullPolicy', 'command', 'args', 'workingDir', 'env', 'envFrom', 'ports', 'volumeMounts'],
  ...['startupProbe', 'readinessProbe', 'livenessProbe', 'lifecycle', 'resources', 'securityContext', 'restartPolicy'],
  ...['stdin', 'tty', 'terminationMessagePath', 'terminationMessagePolicy', 'resizePolicy'],
]);

export function notesOf(workload: Workload, pod: Pod): string[] {
  const containers = containersOf(pod);
  const names = (have: (container: (typeof containers)[number]['container']) => unknown) =>
    containers.filter(({ container }) => have(container)).map(({ name }) => name);
  const [live, hooks] = [names(({ livenessProbe }) => livenessProbe), names(({ lifecycle }) => lifecycle?.preStop)];
  return [
    ...workloadNotes(workload),
    ...unknown(pod.spec, podFields).map((field) => `spec.${field}: left out`),
    ...containers.flatMap(({ name, container }) =>
      unknown(container, containerFields).map((field) => `${name}: ${field}: left out`),
    ),
    ...(live.length > 0 ? [`livenessProbe: Compose does not restart what is not healthy: ${live.join(', ')}`] : []),
    ...(hooks.length > 0 ? [`preStop: not run; sidecars are stopped after the application: ${hooks.join(', ')}`] : []),
    ...(pod.spec?.shareProcessNamespace
      ? ['shareProcessNamespace: podman-compose, as of 1.6, has no pid: service:<name>; docker compose has']
      : []),
    ...names(({ lifecycle }) => lifecycle?.postStart).map((name) => `${name}: postStart: left out`),
  ];
}

const unknown = (value: object | undefined, known: ReadonlySet<string>) =>
  Object.entries(value ?? {}).flatMap(([field, each]) => (known.has(field) || each === undefined ? [] : [field]));

function workloadNotes(workload: Workload): string[] {
  const fields: readonly Path[] = [
    ['spec', 'replicas'],
    ['spec', 'completions'],
    ['spec', 'parallelism'],
  ];
  const several = fields.flatMap((path) => {
    const count = valueAt(workload, path);
    return typeof count === 'number' && count !== 1 ? [`${path.join('.')}: ${count}: one Pod is run`] : [];
  });
  const schedule = workload.kind === 'CronJob' ? ['spec.schedule: the Pod is run once, at once'] : [];
  return [...several, ...schedule];
}
