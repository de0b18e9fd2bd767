// A manifest as a real Pod: its form for podman, under names of our own, in a network of its own.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '@outrigger/core/testing';
import { parseAllDocuments, stringify } from 'yaml';
import { imagePrefix, newName } from './names.ts';
import { podman, tryPodman } from './podman.ts';
import { programOf } from './processes.ts';

const outrigger = fileURLToPath(new URL('../../packages/pod/src/main.ts', import.meta.url));

/** As which all examples run. */
export const user = 65532;

export type Manifest = {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  stringData?: Record<string, string>;
  data?: Record<string, string>;
  spec: {
    restartPolicy?: string;
    volumes: Volume[];
    initContainers?: Container[];
    containers: Container[];
  };
};
type Volume = {
  name: string;
  configMap?: { name: string };
  secret?: { secretName: string };
  hostPath?: { path: string; type: string };
};
type Container = {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
};

export type PlayOptions = {
  /** Called with the Pod under its names of its own, before it is started. @param gateway this machine, as seen from there */
  readonly adjust?: ((spec: Manifest['spec'], gateway: string) => void) | undefined;
  /** Called with the text that is played. */
  readonly rewrite?: (text: string) => string;
  /** Volumes that can hold so many bytes and no more. */
  readonly small?: Readonly<Record<string, number>> | undefined;
};

export type PlayedPod = AsyncDisposable & {
  readonly name: string;
  /** Its address as seen from here. */
  readonly host: string;
  /** What podman calls the container. */
  container(name: string): string;
  /** The pid on this machine of the first process of a container. */
  mainPid(name: string): Promise<number>;
  /** The same of what it runs, where the first process is an init for it. */
  program(name: string): Promise<number>;
  /** Where a volume, or that of a ConfigMap, is on this machine. */
  volume(name: string): Promise<string>;
};

export async function playPod(manifest: string, { adjust, rewrite, small = {} }: PlayOptions = {}): Promise<PlayedPod> {
  const pod = newName();
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  await podman('network', 'create', pod);
  stack.defer(async () => void (await podman('network', 'rm', '--force', pod)));
  const gateway = await gatewayOf(pod);
  const documents = podmanForm(manifest).map((each) => renamed(each, pod));
  stack.defer(() => removeVolumes(pod));
  for (const { kind, spec } of documents) if (kind === 'Pod') adjust?.(spec, gateway);
  const text = documents.map((each) => stringify(each)).join('---\n');
  await writeFile(directory.join('pod.yaml'), rewrite?.(text) ?? text);
  for (const [name, size] of Object.entries(small)) await makeSmallVolume(`${pod}-${name}`, size);
  stack.defer(async () => void (await tryPodman('pod', 'rm', '--force', '--time', '1', pod)));
  await podman('kube', 'play', '--network', pod, directory.join('pod.yaml'));
  const host = await addressOf(pod);
  const owned = stack.move();
  const container = (name: string) => `${pod}-${name}`;
  const pidOf = async (name: string) => Number(await podman('inspect', '--format', '{{.State.Pid}}', container(name)));
  // It is 0 while a container is started again.
  const mainPid = (name: string) => until(() => pidOf(name), { what: `${name} to run` });
  return {
    name: pod,
    host,
    container,
    mainPid,
    program: async (name) => programOf(await mainPid(name)),
    volume: (name) => podman('volume', 'inspect', '--format', '{{.Mountpoint}}', `${pod}-${name}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function podmanForm(manifest: string): Manifest[] {
  const command = [outrigger, 'compose', '--form', 'podman', manifest];
  const text = execFileSync(process.execPath, command, { encoding: 'utf8', timeout: 30_000 });
  return parseAllDocuments(text).map((each) => each.toJS() as Manifest);
}

function renamed(document: Manifest, pod: string): Manifest {
  const own = (name: string) => `${pod}-${name}`;
  if (document.kind !== 'Pod') return { ...asConfigMap(document), metadata: { name: own(document.metadata.name) } };
  document.metadata.name = pod;
  for (const volume of document.spec.volumes) {
    volume.name = own(volume.name);
    // podman 4.3 knows no volumes of Secrets.
    const { secret: { secretName } = {} } = volume;
    if (secretName !== undefined) {
      delete volume.secret;
      volume.configMap = { name: secretName };
    }
    // It names the volume of a ConfigMap after the ConfigMap.
    if (volume.configMap) volume.configMap.name = own(volume.configMap.name);
  }
  const containers = [...(document.spec.initContainers ?? []), ...document.spec.containers];
  for (const each of containers) each.image = each.image.replace(/^outrigger\//, `${imagePrefix}/`);
  for (const mount of containers.flatMap(({ volumeMounts = [] }) => volumeMounts)) mount.name = own(mount.name);
  return document;
}

function asConfigMap({ stringData, ...document }: Manifest): Manifest {
  return document.kind === 'Secret' ? { ...document, kind: 'ConfigMap', data: stringData ?? {} } : document;
}

async function makeSmallVolume(name: string, size: number): Promise<void> {
  // podman keeps `size` to itself.
  const options = `nr_blocks=${size / 4096},uid=${user},gid=${user},mode=0777`;
  await podman(
    'volume',
    'create',
    ...['type=tmpfs', 'device=tmpfs', `o=${options}`].flatMap((o) => ['--opt', o]),
    name,
  );
}

async function removeVolumes(pod: string): Promise<void> {
  const names = (await podman('volume', 'ls', '--quiet')).split('\n').filter((name) => name.startsWith(`${pod}-`));
  if (names.length > 0) await podman('volume', 'rm', '--force', ...names);
}

async function gatewayOf(network: string): Promise<string> {
  const [{ subnets }] = JSON.parse(await podman('network', 'inspect', network)) as [{ subnets: { gateway: string }[] }];
  return subnets[0]!.gateway;
}

async function addressOf(pod: string): Promise<string> {
  const infra = await podman('pod', 'inspect', '--format', '{{.InfraContainerID}}', pod);
  return podman('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', infra);
}
