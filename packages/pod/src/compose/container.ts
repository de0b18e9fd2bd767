// A sidecar of the list as a container of the Pod.

import type { Address } from '../manifest/parameters.ts';
import { parseQuantity } from '../manifest/quantity.ts';
import type { Admin } from './admin-ports.ts';
import { otherPreset, type Preset, presets } from './presets.ts';
import type { ListedSidecar } from './sidecar-list.ts';

export type VolumeMount = {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: true;
};

type Surroundings = {
  readonly admin: Admin;
  readonly volumeMounts: readonly VolumeMount[];
  /** Where it is not the Pod's or the image's. */
  readonly user: { readonly runAsUser?: number | undefined; readonly runAsGroup?: number | undefined };
  /** Those that a monitor is to ask. */
  readonly others: readonly { readonly name: string; readonly admin: Admin }[];
};

export const presetOf = ({ role }: Pick<ListedSidecar, 'role'>): Preset => (role ? presets[role] : otherPreset);

/** A native sidecar: an init container that stays. */
export function containerOf(
  sidecar: ListedSidecar,
  { admin, volumeMounts, user, others }: Surroundings,
): Record<string, unknown> {
  const args = [
    ...(admin.known ? [] : [`--admin-address=${admin.address.host}:${admin.address.port}`]),
    ...sidecar.args,
    ...monitored(sidecar, others),
  ];
  const port = portName(sidecar, admin);
  const probe = (path: string) => ({ httpGet: { path, port } });
  return {
    name: sidecar.name,
    image: sidecar.image,
    restartPolicy: 'Always',
    ...(args.length > 0 && { args }),
    ports: [...listening(sidecar), { name: port, containerPort: admin.address.port }],
    startupProbe: { ...probe('/startupz'), periodSeconds: 1, failureThreshold: 30 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, timeoutSeconds: 3 },
    lifecycle: { preStop: { exec: { command: ['sidecar', 'prestop', ...adminFlags(sidecar, admin)] } } },
    ...(volumeMounts.length > 0 && { volumeMounts }),
    resources: resourcesOf(sidecar),
    // Node.js chooses the size of its heap when it starts.
    resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }],
    securityContext: {
      ...(user.runAsUser !== undefined && { runAsUser: user.runAsUser }),
      ...(user.runAsGroup !== undefined && { runAsGroup: user.runAsGroup }),
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

const portName = (sidecar: ListedSidecar, { address: { port } }: Admin) => {
  const { short, adminPort } = presetOf(sidecar);
  return sidecar.role && port === adminPort ? `${short}-admin` : `admin-${port}`;
};

/** The words of the program do not see the flags that the container was started with. */
function adminFlags({ args }: ListedSidecar, { address, known }: Admin): string[] {
  const given = args.filter((each) => /^--admin-(?:address|token-file)=/.test(each));
  return [...(known ? [] : [`--admin-address=${address.host}:${address.port}`]), ...given];
}

/** Whom to ask is known here, and that some are not there, too. */
function monitored({ role, given }: ListedSidecar, others: Surroundings['others']): string[] {
  if (role !== 'monitor' || given.has('sidecars')) return [];
  return others.map(({ name, admin }) => `--sidecars=${name}=http://127.0.0.1:${admin.address.port}`);
}

type Port = { readonly name: string; readonly containerPort: number; readonly protocol?: 'UDP' };

/** Where it can be reached from outside of the Pod. */
function listening({ role, values }: ListedSidecar): Port[] {
  if (!role) return [];
  const ports: Port[] = [];
  for (const [key, value] of Object.entries(values)) {
    const name = /^(.*?)_?[lL]istenAddress$/.exec(key)?.[1];
    if (name !== undefined && isOpen(value)) ports.push({ name: serviceName(name, values), containerPort: value.port });
  }
  for (const source of chosen(values.source))
    for (const [key, value] of Object.entries(source.parameters)) {
      const name = /^(.*?)[aA]ddress$/.exec(key)?.[1];
      if (name === undefined || !isOpen(value)) continue;
      const protocol = name === 'udp' ? ({ protocol: 'UDP' } as const) : {};
      ports.push({ name: [source.name, name].filter(Boolean).join('-'), containerPort: value.port, ...protocol });
    }
  return ports;
}

const serviceName = (key: string, { mode }: ListedSidecar['values']) =>
  key === '' ? (mode === 'tcp' ? 'tcp' : 'https') : `http-${key.toLowerCase()}`.slice(0, 15);

type Chosen = { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> };
const chosen = (value: unknown): readonly Chosen[] => (Array.isArray(value) ? (value as Chosen[]) : []);

const isOpen = (value: unknown): value is Address =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Address).port === 'number' &&
  (value as Address).port > 0 &&
  !/^(?:127\.|localhost$|::1$)/.test((value as Address).host);

type Amounts = Readonly<Record<string, string | number | undefined>>;

/** What the list says and, for the rest, the preset; of memory, a request and a limit that go together. */
function resourcesOf(sidecar: ListedSidecar): Record<string, unknown> {
  const { requests, limits } = presetOf(sidecar);
  const given = sidecar.written.resources ?? {};
  const [asked, most] = [amounts(requests, given.requests), amounts(limits, given.limits)];
  if (isMore(asked.memory, most.memory)) {
    if (given.limits?.memory === undefined) most.memory = asked.memory;
    else if (given.requests?.memory === undefined) asked.memory = most.memory;
  }
  if (isMore(asked.cpu, most.cpu) && given.requests?.cpu === undefined) asked.cpu = most.cpu;
  return { requests: asked, limits: most };
}

function amounts(preset: Amounts, given: Amounts = {}): Record<string, string | number | undefined> {
  const all: Amounts = { ...preset, ...given };
  const names = ['cpu', 'memory', 'ephemeral-storage'].filter((name) => all[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

const isMore = (asked: string | number | undefined, most: string | number | undefined) =>
  asked !== undefined &&
  most !== undefined &&
  (parseQuantity(String(asked)) ?? 0) > (parseQuantity(String(most)) ?? Number.POSITIVE_INFINITY);
