// What sidecars share and mount, as volumes and mounts of the Pod.

import { nearest } from '@outrigger/core';
import type { Path } from '../manifest/path.ts';
import type { VolumeMount } from './container.ts';
import { presetOf } from './container.ts';
import { sourcesOf, type WrittenMount, type WrittenShare } from './list-schema.ts';
import type { ListedSidecar } from './sidecar-list.ts';

/** Inside the Pod. */
export type PlacedMount = {
  readonly list: 'initContainers' | 'containers';
  readonly container: string;
  readonly mount: VolumeMount;
};

export type Mounted = {
  /** By name. */
  readonly volumes: ReadonlyMap<string, Record<string, unknown>>;
  /** Of each sidecar in the order of the list. */
  readonly own: readonly (readonly VolumeMount[])[];
  readonly others: readonly PlacedMount[];
};

export type PodContainer = {
  readonly list: PlacedMount['list'];
  readonly name: string;
  readonly mounts: readonly string[];
};

export type Around = {
  readonly containers: readonly PodContainer[];
  /** Names of the volumes that the Pod has. */
  readonly volumes: readonly string[];
  /** Says what is wrong at a path of the list. */
  say(path: Path, message: string): void;
};

export function mountAll(sidecars: readonly ListedSidecar[], around: Around): Mounted {
  const mounting = new Mounting(around);
  const own = sidecars.map((sidecar, index) => mounting.mount(sidecar, ['sidecars', index]));
  return { volumes: mounting.volumes, own, others: mounting.others };
}

type NewVolume = Record<string, unknown> & { readonly name: string };

class Mounting {
  readonly volumes = new Map<string, Record<string, unknown>>();
  readonly others: PlacedMount[] = [];
  readonly #around: Around;

  constructor(around: Around) {
    this.#around = around;
  }

  mount(sidecar: ListedSidecar, path: Path): VolumeMount[] {
    const { share = [], mounts = [] } = sidecar.written;
    const all = [
      ...share.map((each, index) => this.#share(each, [...path, 'share', index])),
      ...mounts.map((each, index) => this.#mounted(each, sidecar, [...path, 'mounts', index])),
    ];
    const state = presetOf(sidecar).state?.(sidecar.values);
    if (state && !all.some(({ mountPath }) => isInside(state.path, mountPath))) {
      const name = `${sidecar.name}-state`;
      this.#volume({ name, emptyDir: { sizeLimit: state.sizeLimit } }, path);
      all.push({ name, mountPath: state.path });
    }
    return all;
  }

  #share(
    { name, path: mountPath, with: wanted, at = mountPath, writer, sizeLimit }: WrittenShare,
    path: Path,
  ): VolumeMount {
    this.#volume({ name, emptyDir: sizeLimit === undefined ? {} : { sizeLimit } }, [...path, 'name']);
    for (const container of this.#companions(wanted, path)) {
      const mount = { name, mountPath: at, ...(writer === 'sidecar' && { readOnly: true as const }) };
      this.#besides(container, mount, [...path, 'path']);
    }
    return { name, mountPath, ...(writer === 'application' && { readOnly: true as const }) };
  }

  #companions(wanted: WrittenShare['with'], path: Path): PodContainer[] {
    const { containers, say } = this.#around;
    const apps = containers.filter(({ list }) => list === 'containers');
    if (wanted === undefined) {
      if (apps.length !== 1)
        say(
          path,
          `the Pod has several containers: with is expected, one of ${apps.map(({ name }) => name).join(', ')}`,
        );
      return apps.slice(0, 1);
    }
    return [wanted].flat().flatMap((name) => {
      const found = containers.find((each) => each.name === name);
      if (!found)
        say([...path, 'with'], `no container of the workload is named "${name}"${didYouMean(name, containers)}`);
      return found ?? [];
    });
  }

  #besides({ list, name: container, mounts }: PodContainer, mount: VolumeMount, path: Path): void {
    const same = this.others.find((each) => each.container === container && each.mount.mountPath === mount.mountPath);
    if (mounts.includes(mount.mountPath))
      this.#around.say(path, `${container} has something mounted at ${mount.mountPath} already; at says where else`);
    else if (!same) this.others.push({ list, container, mount });
    else if (same.mount.name !== mount.name || same.mount.readOnly !== mount.readOnly)
      this.#around.say(path, `${same.mount.name} is shared with ${container} at ${mount.mountPath} already`);
  }

  #mounted(written: WrittenMount, sidecar: ListedSidecar, path: Path): VolumeMount {
    const [source] = sourcesOf(written);
    const mount = (name: string, readOnly: boolean | undefined): VolumeMount => ({
      name,
      mountPath: written.path,
      ...(readOnly && { readOnly: true }),
    });
    if (source === 'volume') {
      const name = written.volume!;
      const { volumes, say } = this.#around;
      if (!volumes.includes(name)) {
        const guess = nearest(name, volumes);
        say([...path, 'volume'], `the Pod has no volume "${name}"${guess ? `; did you mean ${guess}?` : ''}`);
      }
      return mount(name, written.readOnly);
    }
    const made = volumeOf(written, sidecar);
    this.#volume(made, path);
    return mount(made.name, written.readOnly ?? (source === 'secret' || source === 'configMap'));
  }

  /** Several may want the same one. */
  #volume(volume: NewVolume, path: Path): void {
    const { name } = volume;
    const { volumes, say } = this.#around;
    const same = this.volumes.get(name);
    if (volumes.includes(name)) say(path, `the Pod has a volume "${name}" already: mount it with volume: ${name}`);
    else if (!same) this.volumes.set(name, volume);
    else if (JSON.stringify(same) !== JSON.stringify(volume))
      say(path, `the volume "${name}" is described in another way above`);
  }
}

function volumeOf(
  { secret, configMap, persistentVolumeClaim, emptyDir, path }: WrittenMount,
  sidecar: ListedSidecar,
): NewVolume {
  if (secret !== undefined) return { name: volumeName('secret', secret), secret: { secretName: secret } };
  if (configMap !== undefined) return { name: volumeName('config', configMap), configMap: { name: configMap } };
  if (persistentVolumeClaim !== undefined)
    return {
      name: volumeName('claim', persistentVolumeClaim),
      persistentVolumeClaim: { claimName: persistentVolumeClaim },
    };
  return { name: volumeName(sidecar.name, path.slice(1)), emptyDir: { sizeLimit: emptyDir } };
}

/** Names of objects may have dots and be longer than those of volumes. */
const volumeName = (prefix: string, name: string) =>
  `${prefix}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`.slice(0, 63).replace(/-+$/, '');

const isInside = (path: string, directory: string) =>
  path === directory || path.startsWith(`${directory.replace(/\/$/, '')}/`);

function didYouMean(name: string, containers: readonly PodContainer[]): string {
  const guess = nearest(
    name,
    containers.map((each) => each.name),
  );
  return guess ? `; did you mean ${guess}?` : '';
}
