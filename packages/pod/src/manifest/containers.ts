// The containers of a Pod in the order they start.

import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IProbe } from 'kubernetes-models/v1/Probe';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { Pod } from './manifest.ts';
import type { Path } from './path.ts';
import { type Role, roleOf } from './toolkit.ts';

export type Container = IContainer;
export type Volume = IVolume;
export type Probe = IProbe;

/** `init` runs to its end before the next one starts, `sidecar` is a native one, `app` is any other. */
export type ContainerKind = 'init' | 'sidecar' | 'app';

export type ContainerEntry = {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly container: Container;
  readonly path: Path;
  readonly role: Role | undefined;
  /** The command that stands for it on this machine, from its annotation. */
  readonly local: string | undefined;
};

export function containersOf(pod: Pod): ContainerEntry[] {
  const entry =
    (list: 'initContainers' | 'containers') =>
    (container: Container, index: number): ContainerEntry => ({
      name: container.name ?? '',
      kind: list === 'containers' ? 'app' : container.restartPolicy === 'Always' ? 'sidecar' : 'init',
      container,
      path: ['spec', list, index],
      role: roleOf(container.image),
      local: pod.metadata?.annotations?.[`outrigger.dev/local.${container.name}`],
    });
  return (['initContainers', 'containers'] as const).flatMap((list) => [...(pod.spec?.[list] ?? [])].map(entry(list)));
}

export const probeKinds = ['startup', 'liveness', 'readiness'] as const;
export type ProbeKind = (typeof probeKinds)[number];

export const probeOf = (container: Container, kind: ProbeKind): Probe | undefined => container[`${kind}Probe`];

/** A probe or hook names a port by number or by the name that its own container declares. */
export function portNumber(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name === port)?.containerPort;
}
