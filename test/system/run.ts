// Runs the system tests: installs the programs they need, builds the images, runs vitest. Needs Debian and root.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imagePrefix, prefix } from './names.ts';
import { tryPodman } from './podman.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');

/** Debian's package by the program, on the path or at an absolute one. */
const peers = {
  podman: 'podman',
  runc: 'runc',
  conmon: 'conmon',
  '/usr/bin/catatonit': 'catatonit',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  iptables: 'iptables',
  buildah: 'buildah',
  mmdebstrap: 'mmdebstrap',
  readelf: 'binutils',
  'aarch64-linux-gnu-strip': 'binutils-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
  git: 'git',
  promtool: 'prometheus',
  shellcheck: 'shellcheck',
  ip: 'iproute2',
  rsyslogd: 'rsyslog',
  wrk: 'wrk',
  busybox: 'busybox-static',
};

const minutes = (count: number) => count * 60_000;

process.exitCode = await main();

async function main(): Promise<number> {
  const reason = unsuitable();
  if (reason) {
    process.stderr.write(`test:system: ${reason}\n`);
    return 1;
  }
  const made =
    installPeers() ||
    step(process.execPath, [join(root, 'images/src/build.ts'), '--prefix', imagePrefix], { timeout: minutes(15) });
  if (made !== 0) return made;
  try {
    return runTests();
  } finally {
    await sweep();
  }
}

function unsuitable(): string | undefined {
  if (!existsSync('/etc/debian_version'))
    return 'Debian is needed: its packages are the peers, and the base of the images';
  if (process.getuid?.() !== 0)
    return 'root is needed, to install packages and to run Pods; try: sudo npx pnpm@12 test:system';
  return undefined;
}

function installPeers(): number {
  const missing = Object.entries(peers).flatMap(([program, name]) => (isThere(program) ? [] : [name]));
  if (missing.length === 0) return 0;
  process.stdout.write(`test:system: installing ${missing.join(', ')}\n`);
  // Of these packages the programs are wanted and not the services, which a machine at run level 1 does not start.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  return (
    step('apt-get', ['update', '--quiet'], { env, timeout: minutes(5) }) ||
    step('apt-get', ['install', '--quiet', '--yes', '--no-install-recommends', ...missing], {
      env,
      timeout: minutes(10),
    })
  );
}

function isThere(program: string): boolean {
  const directories = program.startsWith('/') ? ['/'] : (process.env.PATH ?? '').split(delimiter);
  return directories.some((directory) => isExecutable(join(directory, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function runTests(): number {
  const vitest = join(here, 'node_modules/vitest/vitest.mjs');
  // Pods share the machine's few cores: one file at a time.
  const options = ['--config', '../../.config/vitest.ts', '--no-file-parallelism'];
  return step(process.execPath, [vitest, 'run', ...options, ...process.argv.slice(2)], {
    cwd: here,
    timeout: minutes(40),
  });
}

type StepOptions = { readonly timeout: number; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string };

/** Its exit code; 1 when it could not be started or took too long. */
function step(program: string, args: readonly string[], options: StepOptions): number {
  const { status, error } = spawnSync(program, args, {
    stdio: 'inherit',
    cwd: root,
    killSignal: 'SIGKILL',
    ...options,
  });
  if (error) process.stderr.write(`test:system: ${program}: ${error.message}\n`);
  return status ?? 1;
}

/** What a run that was cut short has left: only what carries this run's name. */
async function sweep(): Promise<void> {
  const pods = await mine('pod', 'ls', '--format', '{{.Name}}');
  if (pods.length > 0) await tryPodman('pod', 'rm', '--force', '--time', '1', ...pods);
  const containers = await mine('container', 'ls', '--all', '--format', '{{.Names}}');
  if (containers.length > 0) await tryPodman('container', 'rm', '--force', '--time', '1', ...containers);
  const volumes = await mine('volume', 'ls', '--format', '{{.Name}}');
  if (volumes.length > 0) await tryPodman('volume', 'rm', '--force', ...volumes);
  const networks = await mine('network', 'ls', '--format', '{{.Name}}');
  if (networks.length > 0) await tryPodman('network', 'rm', '--force', ...networks);
  const namespaces = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8', timeout: 10_000 }).stdout ?? '';
  for (const [name = ''] of namespaces.split('\n').map((line) => line.split(' ')))
    if (name.startsWith(prefix)) step('ip', ['netns', 'delete', name], { timeout: 10_000 });
}

async function mine(...list: readonly string[]): Promise<string[]> {
  return (await tryPodman(...list)).output.split('\n').filter((name) => name.startsWith(prefix));
}
