// The Pod Security Standard "restricted" as Kubernetes 1.36 has it, with "baseline", which it includes. Each violation is
// found where it is written, or where the field that is wanted would stand.

import type { ContainerEntry, Volume } from '../../manifest/containers.ts';
import type { Pod } from '../../manifest/manifest.ts';
import { defineRule, type Found } from '../rule.ts';

const standard = 'Pod Security "restricted"';

type Spec = NonNullable<Pod['spec']>;
type PodContext = NonNullable<Spec['securityContext']>;
type ContainerContext = NonNullable<ContainerEntry['container']['securityContext']>;
/** What a Pod and a container can both set. */
type Context = Partial<PodContext & ContainerContext>;

export const podSecurity = defineRule({
  name: 'pod-security',
  severity: 'warning',
  *check({ manifest: { pod }, containers }) {
    const spec = pod.spec;
    if (!spec) return;
    // Windows knows none of these three.
    const linux = spec.os?.name !== 'windows';
    yield* ofPod(spec);
    yield* ofVolumes(spec);
    yield* ofAppArmorAnnotations(pod);
    yield* ofContext(spec.securityContext ?? {}, ['spec', 'securityContext']);
    if (spec.hostUsers !== false) yield* ofUsers(spec, containers);
    if (linux) yield* ofSeccomp(spec, containers);
    for (const entry of containers) {
      const path = [...entry.path, 'securityContext'];
      const context = entry.container.securityContext ?? {};
      yield* ofContext(context, path);
      yield* ofContainer(context, path);
      if (linux) yield* ofPrivileges(context, path);
      yield* ofHosts(entry);
    }
  },
});

const wants = (path: Found['path'], what: string): Found => ({ path, message: `${standard} wants ${what}` });
const forbids = (path: Found['path'], what: string): Found => ({ path, message: `${standard} forbids ${what}` });

const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

function* ofPod(spec: Spec): Iterable<Found> {
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const)
    if (spec[field]) yield forbids(['spec', field], 'namespaces of the node');
  for (const [index, { name }] of [...(spec.securityContext?.sysctls ?? [])].entries())
    if (name && !safeSysctls.includes(name))
      yield forbids(
        ['spec', 'securityContext', 'sysctls', index, 'name'],
        `"${name}"; it may change more than the Pod`,
      );
}

const volumeKinds = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const satisfies readonly (keyof Volume)[];

function* ofVolumes(spec: Spec): Iterable<Found> {
  for (const [index, volume] of [...(spec.volumes ?? [])].entries()) {
    const [kind] = Object.keys(volume).filter((key) => key !== 'name');
    if (kind && !volumeKinds.some((each) => volume[each]))
      yield forbids(['spec', 'volumes', index, kind], `this kind of volume; use one of ${volumeKinds.join(', ')}`);
  }
}

const appArmor = 'container.apparmor.security.beta.kubernetes.io/';

function* ofAppArmorAnnotations({ metadata }: Pod): Iterable<Found> {
  for (const [key, value] of Object.entries(metadata?.annotations ?? {}))
    if (key.startsWith(appArmor) && value && value !== 'runtime/default' && !value.startsWith('localhost/'))
      yield forbids(['metadata', 'annotations', key], `"${value}"; use runtime/default or localhost/<profile>`);
}

const profiles = ['RuntimeDefault', 'Localhost'];
const seLinuxTypes = ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

function* ofContext(context: Context, path: Found['path']): Iterable<Found> {
  const { appArmorProfile, seLinuxOptions, windowsOptions } = context;
  if (appArmorProfile && !profiles.includes(appArmorProfile.type))
    yield wants([...path, 'appArmorProfile', 'type'], profiles.join(' or '));
  if (seLinuxOptions?.type && !seLinuxTypes.includes(seLinuxOptions.type))
    yield wants([...path, 'seLinuxOptions', 'type'], `one of ${seLinuxTypes.join(', ')}`);
  for (const field of ['user', 'role'] as const)
    if (seLinuxOptions?.[field]) yield forbids([...path, 'seLinuxOptions', field], 'it');
  if (windowsOptions?.hostProcess) yield forbids([...path, 'windowsOptions', 'hostProcess'], 'processes of the node');
}

/** Not for a Pod with a user namespace of its own, where root is nobody's root outside. */
function* ofUsers(spec: Spec, containers: readonly ContainerEntry[]): Iterable<Found> {
  const at = ['spec', 'securityContext'];
  const context = spec.securityContext;
  yield* ofUser(context ?? {}, at);
  for (const { container, path } of containers) {
    yield* ofUser(container.securityContext ?? {}, [...path, 'securityContext']);
    if (context?.runAsNonRoot === undefined && container.securityContext?.runAsNonRoot === undefined)
      yield wants([...path, 'securityContext', 'runAsNonRoot'], 'true here or in spec.securityContext');
  }
}

function* ofUser({ runAsNonRoot, runAsUser }: Context, path: Found['path']): Iterable<Found> {
  if (runAsNonRoot === false) yield wants([...path, 'runAsNonRoot'], 'true');
  if (runAsUser === 0) yield forbids([...path, 'runAsUser'], 'user 0');
}

function* ofSeccomp(spec: Spec, containers: readonly ContainerEntry[]): Iterable<Found> {
  const podProfile = spec.securityContext?.seccompProfile;
  if (podProfile && !profiles.includes(podProfile.type))
    yield wants(['spec', 'securityContext', 'seccompProfile', 'type'], profiles.join(' or '));
  for (const { container, path } of containers) {
    const at = [...path, 'securityContext', 'seccompProfile'];
    const profile = container.securityContext?.seccompProfile;
    if (profile && !profiles.includes(profile.type)) yield wants([...at, 'type'], profiles.join(' or '));
    if (!profile && !podProfile) yield wants(at, `type: ${profiles.join(' or ')} here or in spec.securityContext`);
  }
}

function* ofContainer({ privileged, procMount }: ContainerContext, path: Found['path']): Iterable<Found> {
  if (privileged) yield forbids([...path, 'privileged'], 'privileged containers');
  if (procMount && procMount !== 'Default') yield wants([...path, 'procMount'], 'Default');
}

function* ofPrivileges(context: ContainerContext, path: Found['path']): Iterable<Found> {
  if (context.allowPrivilegeEscalation !== false) yield wants([...path, 'allowPrivilegeEscalation'], 'false');
  const { drop = [], add = [] } = context.capabilities ?? {};
  if (!drop.includes('ALL')) yield wants([...path, 'capabilities', 'drop'], '[ALL]');
  for (const [index, capability] of add.entries())
    if (capability !== 'NET_BIND_SERVICE')
      yield forbids([...path, 'capabilities', 'add', index], `"${capability}"; only NET_BIND_SERVICE may be added`);
}

/** Ports of the node, and probes and hooks that the kubelet sends to where they name. */
function* ofHosts({ container, path }: ContainerEntry): Iterable<Found> {
  for (const [index, { hostPort }] of [...(container.ports ?? [])].entries())
    if (hostPort) yield forbids([...path, 'ports', index, 'hostPort'], 'ports of the node');
  const { lifecycle } = container;
  const asked = [
    ...(['startupProbe', 'readinessProbe', 'livenessProbe'] as const).map(
      (field) => [[field], container[field]] as const,
    ),
    ...(['postStart', 'preStop'] as const).map((field) => [['lifecycle', field], lifecycle?.[field]] as const),
  ];
  for (const [at, handler] of asked)
    for (const how of ['httpGet', 'tcpSocket'] as const)
      if (handler?.[how]?.host)
        yield forbids([...path, ...at, how, 'host'], 'another host than the Pod, which the kubelet would ask');
}
