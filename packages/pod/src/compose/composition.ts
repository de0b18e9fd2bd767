// THE HEART of compose: from a workload and a list of sidecars to what is added. A pure function; back ends write it down.

import { nearest } from '@outrigger/core';
import type { Path } from '../manifest/path.ts';
import { isWorkloadKind, podOf, templatePath } from '../manifest/workload.ts';
import type { Addition, Place } from './addition.ts';
import { type Admin, adminPorts } from './admin-ports.ts';
import { containerOf, presetOf } from './container.ts';
import { type Mounted, mountAll, type PodContainer } from './mounts.ts';
import type { ListedSidecar } from './sidecar-list.ts';

/** As far as compose looks at it; anything may be absent or null. */
type Spec = {
  readonly containers?: readonly Container[] | null;
  readonly initContainers?: readonly Container[] | null;
  readonly volumes?: readonly { readonly name?: string }[] | null;
  readonly shareProcessNamespace?: boolean | null;
  readonly hostPID?: boolean | null;
  readonly securityContext?: User | null;
};
type User = { readonly runAsUser?: number; readonly runAsGroup?: number };
type Container = {
  readonly name?: string;
  readonly volumeMounts?: readonly { readonly mountPath?: string }[] | null;
  readonly ports?: readonly { readonly containerPort?: number }[] | null;
  readonly securityContext?: User | null;
};

/** What stands in the way of an addition, since nothing that is there is changed. */
export type Conflict = {
  /** In the list of sidecars, or inside the Pod. */
  readonly in: 'list' | 'pod';
  readonly path: Path;
  readonly message: string;
};

export type Composition = {
  /** In the order in which they are made. */
  readonly additions: readonly Addition[];
  /** Any: the additions cannot be made. */
  readonly conflicts: readonly Conflict[];
};

/** @param workload the value of its document, of which kind and schema are right; @param sidecars as readList reads them. */
export function composition(workload: unknown, sidecars: readonly ListedSidecar[]): Composition {
  const { kind } = workload as { readonly kind: string };
  if (!isWorkloadKind(kind)) throw new Error(`${kind} has no Pod`);
  const spec = (podOf(kind, workload, '').spec ?? {}) as Spec;
  const conflicts: Conflict[] = [];
  const say = (path: Path, message: string) => conflicts.push({ in: 'list', path, message });

  const admins = adminPorts(sidecars, declaredPorts(spec));
  const mounted = mountAll(sidecars, {
    containers: podContainers(spec),
    volumes: (spec.volumes ?? []).map(({ name = '' }) => name),
    say,
  });
  const place = [...templatePath(kind), 'spec'];
  const additions = [
    ...containerAdditions(spec, { sidecars, admins, mounted, place, say }),
    ...mounted.others.map(
      ({ list, container, mount }): Addition => ({
        list: [...place, list, { name: container }, 'volumeMounts'],
        key: 'mountPath',
        item: mount,
        at: 'end',
      }),
    ),
    ...[...mounted.volumes.values()].map(
      (item): Addition => ({
        list: [...place, 'volumes'],
        key: 'name',
        item,
        at: 'end',
      }),
    ),
    ...processAdditions(spec, { sidecars, place, conflicts }),
  ];
  return { additions, conflicts };
}

const allContainers = ({ initContainers, containers }: Spec) => [...(initContainers ?? []), ...(containers ?? [])];

const declaredPorts = (spec: Spec) =>
  allContainers(spec).flatMap(({ ports }) => (ports ?? []).map(({ containerPort = 0 }) => containerPort));

function podContainers(spec: Spec): PodContainer[] {
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (spec[list] ?? []).map(({ name = '', volumeMounts }) => ({
      list,
      name,
      mounts: (volumeMounts ?? []).map(({ mountPath = '' }) => mountPath),
    })),
  );
}

type Composing = {
  readonly sidecars: readonly ListedSidecar[];
  readonly admins: readonly Admin[];
  readonly mounted: Mounted;
  readonly place: Place;
  readonly say: (path: Path, message: string) => void;
};

function containerAdditions(spec: Spec, { sidecars, admins, mounted, place, say }: Composing): Addition[] {
  const taken = new Set(allContainers(spec).map(({ name }) => name));
  const named = sidecars.map(({ name, role }, index) => ({ name, role, admin: admins[index]! }));
  // Of several behind the same one, each comes behind the last.
  const last = new Map<string, string>();
  return sidecars.map((sidecar, index) => {
    const path = ['sidecars', index];
    const { name, written } = sidecar;
    if (taken.has(name))
      say([...path, 'name'], `the workload has a container "${name}" already; give the sidecar another name`);
    const { after } = written;
    if (after !== undefined) checkAfter(after, spec, (message) => say([...path, 'after'], message));
    const behind = after === undefined ? undefined : (last.get(after) ?? after);
    if (after !== undefined) last.set(after, name);
    const item = containerOf(sidecar, {
      admin: admins[index]!,
      volumeMounts: mounted.own[index]!,
      user: userFor(sidecar, spec),
      others: named.filter((other) => other.name !== name && other.role !== 'monitor'),
    });
    return {
      list: [...place, 'initContainers'],
      key: 'name',
      item,
      at: behind === undefined ? 'start' : { after: behind },
    };
  });
}

function checkAfter(after: string, { initContainers }: Spec, say: (message: string) => void): void {
  const names = (initContainers ?? []).map(({ name = '' }) => name);
  if (names.includes(after)) return;
  const guess = nearest(after, names);
  say(`no init container of the workload is named "${after}"${guess ? `; did you mean ${guess}?` : ''}`);
}

/** Who shares files with the application, or signals it, best has its user; and nobody is root. */
function userFor({ written, values, role }: ListedSidecar, spec: Spec): User {
  const pod = spec.securityContext?.runAsUser;
  const wanted = (written.share ?? []).flatMap(({ with: names }) => names ?? []);
  const apps = spec.containers ?? [];
  const together = (written.share ?? []).length > 0 || presetOf({ role }).seesProcesses?.(values);
  const companion = together ? (apps.find(({ name = '' }) => wanted.includes(name)) ?? apps[0]) : undefined;
  const { runAsUser, runAsGroup } = companion?.securityContext ?? {};
  if (runAsUser !== undefined && runAsUser !== 0 && runAsUser !== pod)
    return { runAsUser, ...(runAsGroup && { runAsGroup }) };
  return pod === 0 ? { runAsUser: 65_532 } : {};
}

type Sharing = Pick<Composing, 'sidecars' | 'place'> & { readonly conflicts: Conflict[] };

function processAdditions(spec: Spec, { sidecars, place, conflicts }: Sharing): Addition[] {
  const reader = sidecars.find((each) => presetOf(each).seesProcesses?.(each.values));
  // Those of the host hold those of the Pod.
  if (!reader || spec.shareProcessNamespace || spec.hostPID) return [];
  if (spec.shareProcessNamespace === false)
    conflicts.push({
      in: 'pod',
      path: ['spec', 'shareProcessNamespace'],
      message: `${reader.name} must see processes of other containers: take out shareProcessNamespace: false`,
    });
  return [{ map: place, field: 'shareProcessNamespace', value: true }];
}
