// The volumes of a Pod as directories of this machine.

import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Volume } from '../../manifest/containers.ts';
import type { Identity } from '../../manifest/downward.ts';
import { expand } from '../../manifest/expand.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { payloadOf } from '../../manifest/payload.ts';
import { project } from './project.ts';
import type { Mount } from './rewrite.ts';

type Located = Mount & {
  /** A directory to make if nothing is there. */
  readonly directory?: boolean;
  /** What the target is a copy of. */
  readonly copyOf?: string;
};

type LaidOut = { readonly path: string; readonly projected: boolean };

export class Volumes {
  readonly #directory: string;
  readonly #identity: Identity;
  readonly #volumes = new Map<string, LaidOut>();

  /** @param directory where the volumes lie. */
  constructor(directory: string, identity: Identity) {
    this.#directory = directory;
    this.#identity = identity;
  }

  /** Makes the directories that are not there yet and brings the objects' files up to date; returns what changed. */
  async lay(manifest: Manifest): Promise<string[]> {
    const changed: string[] = [];
    for (const volume of manifest.pod.spec?.volumes ?? [])
      if (await this.#layOne(volume, manifest)) changed.push(volume.name);
    return changed;
  }

  async #layOne(volume: Volume, manifest: Manifest): Promise<boolean> {
    const known = this.#volumes.get(volume.name);
    const path = volume.hostPath?.path ?? join(this.#directory, 'volumes', volume.name);
    const payload = payloadOf(volume, { ...manifest, identity: this.#identity });
    if (!known) {
      this.#volumes.set(volume.name, { path, projected: payload !== undefined });
      if (volume.hostPath) return false;
      await mkdir(path, { recursive: true });
      // As an emptyDir: whoever runs in the Pod may write. The run's own directory keeps everybody else out.
      await chmod(path, payload ? 0o755 : 0o777);
    }
    return payload !== undefined && project(path, payload.files);
  }

  /** Where a container's mounts lie. @param values its environment, for subPathExpr. */
  locate({ name, volumeMounts = [] }: Container, values: Readonly<Record<string, string>>): Located[] {
    return [...volumeMounts].map((mount, index) => {
      const volume = this.#volumes.get(mount.name);
      if (!volume) throw new Error(`no volume is named "${mount.name}"`);
      const subPath = mount.subPathExpr ? expand(mount.subPathExpr, values) : mount.subPath;
      const { mountPath } = mount;
      if (!subPath) return { mountPath, target: volume.path };
      const source = join(volume.path, subPath);
      if (!volume.projected) return { mountPath, target: source, directory: true };
      // In a cluster such a mount keeps what it was when the container started.
      return { mountPath, target: join(this.#directory, 'sub-paths', name, String(index)), copyOf: source };
    });
  }

  /** Makes the mounts of a container that is about to start. */
  async mount(container: Container, values: Readonly<Record<string, string>>): Promise<Mount[]> {
    const located = this.locate(container, values);
    for (const { target, copyOf, directory } of located) {
      if (directory) await mkdir(target, { recursive: true }).catch(existing);
      if (!copyOf) continue;
      await rm(target, { recursive: true, force: true });
      await mkdir(dirname(target), { recursive: true });
      await cp(copyOf, target, { recursive: true, dereference: true });
    }
    return located;
  }
}

/** A sub-path may name a file that is there. */
function existing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
