// A container of a Pod as a service of a Compose file.

import type { IVolumeMount } from 'kubernetes-models/v1/VolumeMount';
import type { ContainerEntry } from '../../manifest/containers.ts';
import { environmentOf } from '../../manifest/environment.ts';
import { expand } from '../../manifest/expand.ts';
import type { Objects, Pod } from '../../manifest/manifest.ts';
import { parseQuantity } from '../../manifest/quantity.ts';
import { healthcheckOf } from './compose-health.ts';
import type { ComposeVolumes } from './compose-volumes.ts';

type Around = {
  readonly pod: Pod;
  readonly objects: Objects;
  readonly volumes: ComposeVolumes;
  /** The service that has the network. */
  readonly owner: string;
  readonly notes: string[];
};

type Service = Readonly<Record<string, unknown>>;

export function serviceOf(entry: ContainerEntry, around: Around): Service {
  const { container } = entry;
  const { pod, owner, notes } = around;
  const environment = variablesOf(entry, around);
  const words = (list: Iterable<string> | undefined) => [...(list ?? [])].map((word) => expand(word, environment));
  const healthcheck = healthcheckOf(entry, notes);
  return given({
    image: container.image,
    entrypoint: container.command && words(container.command),
    command: container.args && words(container.args),
    working_dir: container.workingDir,
    environment: Object.keys(environment).length > 0 ? environment : undefined,
    network_mode: pod.spec?.hostNetwork ? 'host' : `service:${owner}`,
    pid: pod.spec?.shareProcessNamespace ? `service:${owner}` : undefined,
    volumes: mountsOf(entry, environment, around),
    healthcheck,
    restart: restartOf(entry, pod),
    stop_grace_period: `${pod.spec?.terminationGracePeriodSeconds ?? 30}s`,
    stop_signal: container.lifecycle?.stopSignal,
    ...securityOf(entry, pod),
    ...limitsOf(entry),
    stdin_open: container.stdin,
    tty: container.tty,
  });
}

/** Without what nobody said and lists that hold nothing. */
const given = (service: Service): Service =>
  Object.fromEntries(
    Object.entries(service).filter(
      ([key, value]) => value !== undefined && (key === 'command' || !Array.isArray(value) || value.length > 0),
    ),
  );

/** What a file can know of a Pod that runs nowhere yet. */
const known = /^metadata\.(name|namespace|labels|annotations)\b/;

function variablesOf(entry: ContainerEntry, { pod, objects, notes }: Around): Readonly<Record<string, string>> {
  const env = [...(entry.container.env ?? [])].filter(({ name, valueFrom }) => {
    const path = valueFrom?.fieldRef?.fieldPath ?? valueFrom?.resourceFieldRef?.resource;
    if (path === undefined || known.test(path) || isLimited(entry, path)) return true;
    notes.push(`${entry.name}: ${name}: ${path} is not known before it runs, left out`);
    return false;
  });
  const { values, unresolved } = environmentOf(
    { ...entry, container: { ...entry.container, env } },
    { ...objects, pod, identity: { uid: '' } },
  );
  for (const { name = 'envFrom', reason } of unresolved) notes.push(`${entry.name}: ${name}: ${reason}, left out`);
  return values;
}

function isLimited({ container }: ContainerEntry, path: string): boolean {
  const [list, resource = ''] = path.split('.');
  const { limits = {}, requests = {} } = container.resources ?? {};
  return limits[resource] !== undefined || (list === 'requests' && requests[resource] !== undefined);
}

function mountsOf(entry: ContainerEntry, environment: Readonly<Record<string, string>>, around: Around): unknown[] {
  return [...(entry.container.volumeMounts ?? [])].flatMap((mount) => {
    const source = around.volumes.sourceOf(mount.name ?? '');
    return source === undefined ? [] : [mountOf(mount, source, environment)];
  });
}

function mountOf(mount: IVolumeMount, source: string, environment: Readonly<Record<string, string>>): unknown {
  const { mountPath: target, readOnly = false, subPath, subPathExpr } = mount;
  const inside = subPathExpr === undefined ? subPath : expand(subPathExpr, environment);
  const isPath = /^[./]/.test(source);
  if (!inside || isPath) return `${inside ? `${source}/${inside}` : source}:${target}${readOnly ? ':ro' : ''}`;
  return { type: 'volume', source, target, ...(readOnly && { read_only: true }), volume: { subpath: inside } };
}

function restartOf({ kind }: ContainerEntry, { spec }: Pod): string {
  const policy = spec?.restartPolicy ?? 'Always';
  if (kind === 'sidecar') return 'unless-stopped';
  if (kind === 'init') return policy === 'Never' ? 'no' : 'on-failure';
  return { Always: 'unless-stopped', OnFailure: 'on-failure', Never: 'no' }[policy] ?? 'no';
}

function securityOf({ container }: ContainerEntry, { spec }: Pod): Service {
  const own = container.securityContext ?? {};
  const shared = spec?.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  const groups = [...(shared.fsGroup === undefined ? [] : [shared.fsGroup]), ...(shared.supplementalGroups ?? [])];
  return {
    user: user === undefined ? undefined : `${user}${group === undefined ? '' : `:${group}`}`,
    group_add: groups.filter((each) => each !== group).map(String),
    read_only: own.readOnlyRootFilesystem || undefined,
    privileged: own.privileged || undefined,
    cap_drop: [...(own.capabilities?.drop ?? [])],
    cap_add: [...(own.capabilities?.add ?? [])],
    security_opt: own.allowPrivilegeEscalation === false ? ['no-new-privileges'] : [],
  };
}

function limitsOf({ container }: ContainerEntry): Service {
  const { memory, cpu } = container.resources?.limits ?? {};
  const bytes = memory === undefined ? undefined : parseQuantity(String(memory));
  return {
    mem_limit: bytes === undefined ? undefined : bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}m` : `${Math.ceil(bytes)}b`,
    cpus: cpu === undefined ? undefined : parseQuantity(String(cpu)),
  };
}
