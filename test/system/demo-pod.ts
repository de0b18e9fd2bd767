// The demo as a real Pod.

import { execFileSync } from 'node:child_process';
import { chown, lchown, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Demo, openReceiver, rotatingOften, withSetting } from '@outrigger/example-billing/demo';
import { type PlayedPod, type PlayOptions, playPod, user } from './played-pod.ts';
import { processesBeside } from './processes.ts';

const manifest = fileURLToPath(new URL('../../examples/billing/pod.yaml', import.meta.url));

export type DemoPod = Demo & AsyncDisposable & Pick<PlayedPod, 'container' | 'program'>;

/** Its log-shipper has a second place to ship to. */
export async function startDemoPod({ adjust, small }: PlayOptions = {}): Promise<DemoPod> {
  await using stack = new AsyncDisposableStack();
  // Reachable from the Pod, whatever its network.
  const receiver = stack.use(await openReceiver('0.0.0.0'));
  const pod = stack.use(
    await playPod(manifest, {
      adjust(spec, gateway) {
        const shipper = spec.containers.find(({ name }) => name === 'log-shipper')!;
        shipper.env = [
          { name: 'OUTRIGGER_SINK', value: 'stdout,forward' },
          { name: 'OUTRIGGER_SINK_FORWARD_ADDRESS', value: `${gateway}:${receiver.port}` },
        ];
        adjust?.(spec, gateway);
      },
      rewrite: rotatingOften,
      small,
    }),
  );
  const volumes = new Map<string, string>();
  for (const name of ['tls', 'repository', 'content', 'logs', 'state']) volumes.set(name, await pod.volume(name));
  const config = await pod.volume('billing-config');
  const owned = stack.move();
  const { host, container, program } = pod;
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
    pids: async () => processesBeside(await pod.mainPid('billing')).map(({ inside }) => inside),
    pushed: async () => giveToPod(volumes.get('repository')!),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const giveToPod = (directory: string) => void execFileSync('chown', ['-R', `${user}:${user}`, directory]);

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
