// Volumes of a Pod for a Compose file: what is written at run time is a named volume, what objects hold are files beside
// the Compose file, in one directory for each volume, so that a sidecar that watches it sees a change.

import { containersOf, type Volume } from '../../manifest/containers.ts';
import type { Objects, Pod } from '../../manifest/manifest.ts';
import { payloadOf } from '../../manifest/payload.ts';
import { parseQuantity } from '../../manifest/quantity.ts';
import type { OutputFile } from './output.ts';

export type ComposeVolumes = {
  /** Those of the Compose file. */
  readonly named: Readonly<Record<string, unknown>>;
  /** Named ones that start empty and that any user may write to. */
  readonly shared: readonly string[];
  readonly files: readonly OutputFile[];
  /** What stands before the colon, or undefined for a volume that Compose cannot have. */
  sourceOf(volume: string): string | undefined;
};

type Filling = {
  readonly pod: Pod;
  readonly objects: Objects;
  readonly named: Record<string, unknown>;
  readonly shared: string[];
  readonly files: OutputFile[];
  readonly notes: string[];
};

/** The image of the pause service has that many directories. */
const most = 16;

export function volumesOf(pod: Pod, objects: Objects, notes: string[]): ComposeVolumes {
  const filling: Filling = { pod, objects, named: {}, shared: [], files: [], notes };
  const volumes = [...(pod.spec?.volumes ?? [])];
  const sources = new Map(volumes.map((volume) => [volume.name ?? '', source(volume, filling)]));
  for (const name of mountedIn(pod)) if (!sources.has(name)) sources.set(name, claimed(name, filling));
  const limited = volumes.filter(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory');
  if (limited.length > 0) notes.push(`sizeLimit: no limit here: ${limited.map(({ name }) => name).join(', ')}`);
  for (const name of filling.shared.slice(most))
    notes.push(`volumes[${name}]: only root may write to it: more than ${most} volumes`);
  return {
    ...filling,
    shared: filling.shared.slice(0, most),
    sourceOf: (name) => sources.get(name),
  };
}

const mountedIn = (pod: Pod) =>
  containersOf(pod).flatMap(({ container }) => [...(container.volumeMounts ?? [])].map(({ name = '' }) => name));

function source(volume: Volume, filling: Filling): string | undefined {
  const { name = '', emptyDir, hostPath, persistentVolumeClaim, ephemeral } = volume;
  const { named, shared, notes } = filling;
  if (hostPath) return hostPath.path;
  if (persistentVolumeClaim) {
    notes.push(`volumes[${name}]: the claim ${persistentVolumeClaim.claimName} is a named volume, empty at first`);
    return claim(String(persistentVolumeClaim.claimName), filling);
  }
  if (emptyDir?.medium === 'Memory') {
    const size = emptyDir.sizeLimit === undefined ? undefined : parseQuantity(String(emptyDir.sizeLimit));
    named[name] = { driver_opts: { type: 'tmpfs', device: 'tmpfs', o: `mode=1777${size ? `,size=${size}` : ''}` } };
    return name;
  }
  if (emptyDir || ephemeral) {
    named[name] = {};
    shared.push(name);
    return name;
  }
  return payload(volume, filling);
}

/** A StatefulSet mounts the volumes of its claim templates, which its Pods' spec does not have. */
function claimed(name: string, filling: Filling): string {
  filling.notes.push(`volumes[${name}]: a named volume, empty at first`);
  return claim(name, filling);
}

function claim(name: string, { named, shared }: Filling): string {
  if (!Object.hasOwn(named, name)) shared.push(name);
  named[name] ??= {};
  return name;
}

function payload(volume: Volume, { pod, objects, files, notes }: Filling): string | undefined {
  const { name = '' } = volume;
  const found = payloadOf(volume, { ...objects, pod, identity: { uid: '' } });
  if (!found) {
    notes.push(`volumes[${name}]: Compose has no such volume, left out`);
    return undefined;
  }
  const directory = `files/${name}`;
  for (const { reason } of found.unresolved) notes.push(`volumes[${name}]: ${reason}: to be put into ${directory}`);
  for (const [path, { content, mode }] of found.files) {
    const text = content.toString('utf8');
    if (!Buffer.from(text).equals(content)) notes.push(`${directory}/${path}: not text, to be put there`);
    else files.push({ name: `${directory}/${path}`, text });
    if (mode & 0o111) notes.push(`${directory}/${path}: its mode has to be ${mode.toString(8)}`);
  }
  if (isSecret(volume)) notes.push(`${directory}: a Secret in the clear, nothing to commit`);
  return `./${directory}`;
}

const isSecret = ({ secret, projected }: Volume) =>
  secret !== undefined || [...(projected?.sources ?? [])].some((each) => each.secret !== undefined);
