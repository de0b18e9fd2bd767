// The other examples as real Pods: their images are built as they say, and what they promise is asked from outside.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Scratch, scratch, until } from '@outrigger/core/testing';
import { version } from '@outrigger/images';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { receivers } from '../../packages/log-shipper/test/receivers/receivers.ts';
import { imagePrefix, prefix } from './names.ts';
import { type PlayedPod, type PlayOptions, playPod } from './played-pod.ts';
import { podman, tryPodman } from './podman.ts';
import { statusOf } from './processes.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const base = `${imagePrefix}/base:${version}`;
const manifestOf = (example: string) => join(examples, example, 'pod.yaml');

/** By what the manifests call them: images of this run. */
const images = { 'example/shop:1.0.0': 'shop', 'example/rates:0.1.0': 'rates', 'busybox:1.37': 'busybox' } as const;
const own = (name: string) => `localhost/${prefix}-${name}:1`;

function build(name: string, context: string, lines: readonly string[]): void {
  const file = `${context}/Containerfile`;
  writeFileSync(file, lines.join('\n'));
  execFileSync('buildah', ['build', '--quiet', '--tag', own(name), '--file', file, context], {
    timeout: 60_000,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

beforeAll(async () => {
  await using directory = await scratch();
  copyFileSync(join(examples, 'log-shipping/shop.cjs'), directory.join('shop.cjs'));
  build('shop', directory.path, [`FROM ${base}`, 'COPY shop.cjs /app/', 'ENTRYPOINT ["node", "/app/shop.cjs"]']);
  buildRates();
  buildBusybox(directory);
});

afterAll(async () => void (await tryPodman('image', 'rm', '--force', ...Object.values(images).map(own))));

/** By the commands on its page. */
function buildRates(): void {
  const cwd = join(examples, 'write-your-own');
  const [, section] = readFileSync(join(cwd, 'README.md'), 'utf8').split('## Image\n');
  const commands = /```\n([\s\S]*?)```/.exec(section!)![1]!;
  const script = commands
    .replace('npx pnpm@12 exec node', `'${process.execPath}'`)
    .replace('example/rates:0.1.0', own('rates'))
    .replace(/^FROM .*/m, `FROM ${base}`);
  expect(commands).toContain(`FROM outrigger/base:${version}\n`);
  execFileSync('bash', ['-euc', script], { cwd, timeout: 60_000, stdio: ['ignore', 'ignore', 'inherit'] });
}

function buildBusybox({ join: at }: Scratch): void {
  mkdirSync(at('busybox/bin'), { recursive: true });
  copyFileSync('/bin/busybox', at('busybox/bin/busybox'));
  for (const name of ['sh', 'cat', 'sleep']) symlinkSync('busybox', at('busybox/bin', name));
  build('busybox', at('busybox'), ['FROM scratch', 'COPY bin /bin']);
}

type Adjust = NonNullable<PlayOptions['adjust']>;

function play(example: string, adjust: Adjust): Promise<PlayedPod> {
  return playPod(manifestOf(example), {
    adjust(spec, gateway) {
      for (const each of spec.containers) {
        const name = images[each.image as keyof typeof images];
        if (name) each.image = own(name);
      }
      adjust(spec, gateway);
    },
  });
}

function setEnvironment(spec: Parameters<Adjust>[0], container: string, values: Readonly<Record<string, string>>) {
  const found = spec.containers.find(({ name }) => name === container)!;
  const others = (found.env ?? []).filter(({ name }) => !(name in values));
  found.env = [...others, ...Object.entries(values).map(([name, value]) => ({ name, value }))];
}

async function expectLockedDown(pod: PlayedPod, container: string): Promise<void> {
  const status = statusOf(await pod.program(container));
  expect(status).toMatchObject({ CapEff: ['0000000000000000'], NoNewPrivs: ['1'] });
  expect(status.Uid).toEqual(['65532', '65532', '65532', '65532']);
  const { output } = await tryPodman('inspect', '--format', '{{.HostConfig.ReadonlyRootfs}}', pod.container(container));
  expect(output.trim()).toBe('true');
}

/** The application first, then its sidecar. */
async function stopInOrder(pod: PlayedPod, ...containers: readonly string[]): Promise<string[]> {
  const codes: string[] = [];
  for (const name of containers) {
    await podman('stop', '--time', '20', pod.container(name));
    codes.push(await podman('inspect', '--format', '{{.State.ExitCode}}', pod.container(name)));
  }
  return codes;
}

describe('log-shipping', () => {
  const vendors = {
    'splunk-hec': 'OUTRIGGER_SINK_SPLUNK_HEC_URL',
    datadog: 'OUTRIGGER_SINK_DATADOG_URL',
    elasticsearch: 'OUTRIGGER_SINK_ELASTICSEARCH_URL',
  } as const;

  test.each(Object.entries(vendors) as [keyof typeof vendors, string][])(
    'the shop is shipped to %s, to the last line and without its secrets',
    async (sink, url) => {
      await using receiver = await receivers[sink].listen({ host: '0.0.0.0' });
      await using pod = await play('log-shipping', (spec, gateway) => {
        const there = receiver.url.replace('127.0.0.1', gateway);
        setEnvironment(spec, 'log-shipper', { OUTRIGGER_SINK: sink, [url]: there });
        setEnvironment(spec, 'shop', { SHOP_PERIOD: '20', SHOP_LOG_LIMIT: '4096' });
      });
      const records = () => receiver.stored.map(({ record }) => JSON.stringify(record));
      await until(() => records().some((record) => record.includes('order 60 placed')), {
        deadline: 60_000,
        what: () => `60 orders at ${sink}: ${receiver.stored.length} records have come`,
      });
      for (const name of ['log-shipper', 'shop']) await expectLockedDown(pod, name);
      expect(await stopInOrder(pod, 'shop', 'log-shipper')).toEqual(['0', '0']);
      const orders = records().flatMap((record) => /order (\d+) placed/.exec(record)?.[1] ?? []);
      expect(orders).toEqual(orders.map((_, index) => String(index + 1)));
      expect(records().at(-1)).toContain('shop is closed');
      expect(records().at(-1)).toContain(`"${pod.name}"`);
      expect(records().join()).not.toMatch(/open-sesame|4111/);
    },
  );
});

test('write-your-own: the application reads what the sidecar has fetched', async () => {
  const publisher = createServer((_, response) => response.end('{"EUR":1.25}\n')).listen(0, '0.0.0.0');
  await using stack = new AsyncDisposableStack();
  stack.defer(() => void publisher.close());
  const pod = stack.use(
    await play('write-your-own', (spec, gateway) => {
      const { port } = publisher.address() as AddressInfo;
      setEnvironment(spec, 'rates', { OUTRIGGER_FROM: `http://${gateway}:${port}/rates.json` });
    }),
  );
  await until(async () => (await podman('logs', pod.container('app'))).includes('{"EUR":1.25}'), { deadline: 60_000 });
  const admin = `http://${pod.host}:9410`;
  expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${admin}/v1/rounds`)).json()).toMatchObject({ failed: 0 });
  await expectLockedDown(pod, 'rates');
  // Its preStop hook is a program of the image.
  await podman('exec', pod.container('rates'), 'sidecar', 'prestop');
  expect((await fetch(`${admin}/readyz`)).status).toBe(503);
  expect(await stopInOrder(pod, 'app', 'rates')).toEqual(['0', '0']);
});
