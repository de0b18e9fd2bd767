// The demo as a Compose file, run by Docker Compose on podman.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { type Demo, openReceiver, rotatingOften, sidecars, withSetting } from '@outrigger/example-billing/demo';
import { version } from '@outrigger/images';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { check } from '../../packages/pod/src/check/check.ts';
import { composeFile } from '../../packages/pod/src/compose/output/compose-file.ts';
import type { Workload } from '../../packages/pod/src/compose/output/output.ts';
import { parseSource } from '../../packages/pod/src/manifest/source.ts';
import { imagePrefix, newName } from './names.ts';
import { engineEnvironment, podman, tryPodman } from './podman.ts';
import { processesBeside, programOf } from './processes.ts';

const run = promisify(execFile);
const manifest = fileURLToPath(new URL('../../examples/billing/pod.yaml', import.meta.url));

/** @param program docker-compose */
export async function startComposeDemo(program: string): Promise<Demo & AsyncDisposable> {
  const project = newName();
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await scratch());
  const receiver = stack.use(await openReceiver('0.0.0.0'));
  await podman('network', 'create', project);
  stack.defer(async () => void (await podman('network', 'rm', '--force', project)));
  const gateway = await podman('network', 'inspect', '--format', '{{range .Subnets}}{{.Gateway}}{{end}}', project);
  const files = await filesOf({
    pauseImage: `localhost/${imagePrefix}/pause:${version}`,
    sink: `${gateway}:${receiver.port}`,
  });
  await writeFiles(directory, project, files);
  const compose = composer({ program, directory, project, socket: stack.use(await serveEngine(directory)).socket });
  stack.defer(() => compose('down', '--volumes', '--timeout', '5'));
  await up(compose, project);
  const mountpoint = (name: string) => podman('volume', 'inspect', '--format', '{{.Mountpoint}}', `${project}_${name}`);
  const volumes = new Map<string, string>();
  for (const name of ['tls', 'repository', 'content', 'logs', 'state']) volumes.set(name, await mountpoint(name));
  const container = (name: string) => `${project}-${name}-1`;
  const mainPid = async (name: string) =>
    Number(await podman('inspect', '--format', '{{.State.Pid}}', container(name)));
  const address = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const host = await podman('inspect', '--format', address, container('pause'));
  const owned = stack.move();
  return {
    host,
    receiver,
    volume: (name) => volumes.get(name)!,
    configure: (key, value) => edit(directory.join('files/config/billing.properties'), key, value),
    async kill(name) {
      process.kill(programOf(await mainPid(name)), 'SIGKILL');
    },
    pids: async () => processesBeside(await mainPid('billing')).map(({ inside }) => inside),
    pushed: async () => void (await run('chown', ['-R', '65532:65532', volumes.get('repository')!])),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As an editor saves it. */
async function edit(file: string, key: string, value: string): Promise<void> {
  await writeFile(`${file}~`, withSetting(await readFile(file, 'utf8'), key, value));
  await rename(`${file}~`, file);
}

type Container = { name: string; image: string; env?: { name: string; value: string }[] };
type Document = { kind: string; spec: { initContainers: Container[]; containers: Container[] } };

async function filesOf({ pauseImage, sink }: { pauseImage: string; sink: string }) {
  const text = rotatingOften(await readFile(manifest, 'utf8'));
  const documents = parseAllDocuments(text).map((each) => each.toJS() as Document);
  const { spec } = documents.find(({ kind }) => kind === 'Pod')!;
  // Docker's API takes a name without a registry for one of Docker Hub's.
  for (const container of [...spec.initContainers, ...spec.containers])
    container.image = `localhost/${container.image}`;
  spec.initContainers.find(({ name }) => name === 'log-shipper')!.env = [
    { name: 'OUTRIGGER_SINK', value: 'stdout,forward' },
    { name: 'OUTRIGGER_SINK_FORWARD_ADDRESS', value: sink },
  ];
  const source = parseSource('pod.yaml', documents.map((each) => stringify(each)).join('---\n'));
  const found = (await check(source)).workloads[0]!.manifest;
  return composeFile(found.document.value as Workload, [], { objects: found, pauseImage }).files;
}

type Files = readonly { readonly name: string; readonly text: string }[];

async function writeFiles(directory: Scratch, network: string, files: Files): Promise<void> {
  for (const { name, text } of files) {
    await mkdir(dirname(directory.join(name)), { recursive: true });
    await writeFile(directory.join(name), text);
  }
  const file = parse(files[0]!.text);
  // The machine's own ports are everybody's, and the gateway has to be known beforehand.
  delete file.services.pause.ports;
  file.networks = { default: { name: network, external: true } };
  await writeFile(directory.join(files[0]!.name), stringify(file));
}

/** podman's API, which Docker Compose speaks to. */
async function serveEngine(directory: Scratch): Promise<AsyncDisposable & { readonly socket: string }> {
  const path = directory.join('podman.sock');
  const service = spawn('podman', ['system', 'service', '--time', '0', `unix://${path}`], {
    env: engineEnvironment,
    stdio: 'ignore',
  });
  const exited = once(service, 'exit');
  await until(() => existsSync(path), { what: 'the API of podman' });
  return {
    socket: `unix://${path}`,
    async [Symbol.asyncDispose]() {
      service.kill();
      await exited;
    },
  };
}

type Composer = (...words: string[]) => Promise<void>;

type Composing = {
  readonly program: string;
  readonly directory: Scratch;
  readonly project: string;
  readonly socket: string;
};

function composer({ program, directory, project, socket }: Composing): Composer {
  const env = { ...process.env, DOCKER_HOST: socket, DOCKER_CONFIG: directory.path };
  return async (...words) => {
    await run(program, ['--project-name', project, ...words], { cwd: directory.path, env, timeout: 120_000 });
  };
}

/** podman asks for health by timers of systemd, which need not be there. */
async function up(compose: Composer, project: string): Promise<void> {
  let ended = false;
  const started = compose('up', '--detach').finally(() => {
    ended = true;
  });
  const asked = until(
    async () => {
      for (const name of sidecars) await tryPodman('healthcheck', 'run', `${project}-${name}-1`);
      return ended;
    },
    { deadline: 120_000, what: 'Docker Compose' },
  );
  await Promise.all([started, asked]);
}
