// The demo as a real Pod: its manifest in podman's form, played by podman.

import { execFileSync } from 'node:child_process';
import { chown, lchown, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { type Demo, openReceiver, type Receiver, rotatingOften, withSetting } from '@outrigger/example-billing/demo';
import { parseAllDocuments, stringify } from 'yaml';
import { imagePrefix, newName } from './names.ts';
import { podman, tryPodman } from './podman.ts';
import { processesBeside, programOf } from './processes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const user = 65532;

export type DemoPod = Demo &
  AsyncDisposable & {
    /** What podman calls the container. */
    container(name: string): string;
    /** The pid on this machine of what a container runs. */
    program(name: string): Promise<number>;
  };

export type Manifest = {
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  spec: {
    restartPolicy?: string;
    volumes: Volume[];
    initContainers: Container[];
    containers: Container[];
  };
};
type Volume = { name: string; configMap?: { name: string }; hostPath?: { path: string; type: string } };
type Container = {
  name: string;
  image: string;
  env?: { name: string; value: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
};

export type DemoOptions = {
  /** Called with the Pod under its names of its own, before it is started. */
  readonly adjust?: (spec: Manifest['spec']) => void;
  /** Volumes that can hold so many bytes and no more. */
  readonly small?: Readonly<Record<string, number>>;
};

export async function startDemoPod({ adjust, small = {} }: DemoOptions = {}): Promise<DemoPod> {
  const pod = newName();
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  // Reachable from the Pod, whatever its network.
  const receiver = stack.use(await openReceiver('0.0.0.0'));
  await podman('network', 'create', pod);
  stack.defer(async () => void (await podman('network', 'rm', '--force', pod)));
  const sink = `${await gatewayOf(pod)}:${receiver.port}`;
  const documents = podmanForm().map((each) => adapt(each, { pod, sink }));
  stack.defer(() => removeVolumes(pod));
  for (const document of documents) if (document.kind === 'Pod') adjust?.(document.spec);
  const manifest = await writeManifest(directory, documents);
  for (const [name, size] of Object.entries(small)) {
    // podman keeps `size` to itself.
    const options = `nr_blocks=${size / 4096},uid=${user},gid=${user},mode=0777`;
    await podman(
      'volume',
      'create',
      '--opt',
      'type=tmpfs',
      '--opt',
      'device=tmpfs',
      '--opt',
      `o=${options}`,
      `${pod}-${name}`,
    );
  }
  stack.defer(async () => void (await tryPodman('pod', 'rm', '--force', '--time', '1', pod)));
  await podman('kube', 'play', '--network', pod, manifest);
  const volumes = new Map<string, string>();
  for (const name of ['tls', 'repository', 'content', 'logs', 'state'])
    volumes.set(name, await podman('volume', 'inspect', '--format', '{{.Mountpoint}}', `${pod}-${name}`));
  const config = await podman('volume', 'inspect', '--format', '{{.Mountpoint}}', `${pod}-billing-config`);
  const started = { pod, receiver, volumes, config, host: await addressOf(pod), owned: stack.move() };
  return demo(started);
}

function podmanForm(): Manifest[] {
  const command = [join(root, 'packages/pod/src/main.ts'), 'compose', '--form', 'podman'];
  const text = execFileSync(process.execPath, [...command, join(root, 'examples/billing/pod.yaml')], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return parseAllDocuments(text).map((each) => each.toJS() as Manifest);
}

/** The same under names of our own, and with a second place to ship logs to. */
function adapt(document: Manifest, { pod, sink }: { pod: string; sink: string }): Manifest {
  const own = (name: string) => `${pod}-${name}`;
  if (document.kind !== 'Pod') {
    document.metadata.name = own(document.metadata.name);
    return document;
  }
  document.metadata.name = pod;
  for (const volume of document.spec.volumes) {
    // podman names the volume of a ConfigMap after the ConfigMap.
    volume.name = own(volume.name);
    if (volume.configMap) volume.configMap.name = own(volume.configMap.name);
  }
  const containers = [...document.spec.initContainers, ...document.spec.containers];
  for (const each of containers) each.image = each.image.replace(/^outrigger\//, `${imagePrefix}/`);
  for (const mount of containers.flatMap(({ volumeMounts = [] }) => volumeMounts)) mount.name = own(mount.name);
  const shipper = containers.find(({ name }) => name === 'log-shipper')!;
  shipper.env = [
    { name: 'OUTRIGGER_SINK', value: 'stdout,forward' },
    { name: 'OUTRIGGER_SINK_FORWARD_ADDRESS', value: sink },
  ];
  return document;
}

async function writeManifest(directory: Scratch, documents: readonly Manifest[]): Promise<string> {
  const file = directory.join('pod.yaml');
  await writeFile(file, rotatingOften(documents.map((each) => stringify(each)).join('---\n')));
  return file;
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

type Started = {
  readonly pod: string;
  readonly receiver: Receiver;
  readonly volumes: ReadonlyMap<string, string>;
  readonly config: string;
  readonly host: string;
  readonly owned: AsyncDisposableStack;
};

function demo({ pod, receiver, volumes, config, host, owned }: Started): DemoPod {
  const container = (name: string) => `${pod}-${name}`;
  const pidOf = async (name: string) => Number(await podman('inspect', '--format', '{{.State.Pid}}', container(name)));
  // It is 0 while a container is started again.
  const mainPid = (name: string) => until(() => pidOf(name), { what: `${name} to run` });
  const program = async (name: string) => programOf(await mainPid(name));
  return {
    host,
    receiver,
    container,
    program,
    volume: (name) => volumes.get(name)!,
    configure: (key, value) => configure(config, key, value),
    async kill(name) {
      process.kill(await program(name), 'SIGKILL');
    },
    pids: async () => processesBeside(await mainPid('billing')).map(({ inside }) => inside),
    pushed: () => giveToPod(volumes.get('repository')!),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const giveToPod = async (directory: string) => void execFileSync('chown', ['-R', `${user}:${user}`, directory]);

/** The kubelet's part, which podman does not play: a new directory, then one rename to swap `..data`. */
async function configure(directory: string, key: string, value: string): Promise<void> {
  const name = 'billing.properties';
  const text = await readFile(join(directory, name), 'utf8');
  const fresh = `..${Date.now()}`;
  await mkdir(join(directory, fresh));
  await writeFile(join(directory, fresh, name), withSetting(text, key, value));
  await chown(join(directory, fresh, name), user, user);
  await link(fresh, join(directory, '..data'));
  // podman lays out plain files; the first swap makes them what they are in a cluster.
  await link(join('..data', name), join(directory, name));
}

async function link(target: string, path: string): Promise<void> {
  await symlink(target, `${path}_tmp`);
  await lchown(`${path}_tmp`, user, user);
  await rename(`${path}_tmp`, path);
}
