// What holds for the Compose file of any workload. Docker Compose itself is asked in test/system/compose.test.ts.

import { assert, property } from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Addition } from '../../../src/compose/addition.ts';
import { applied } from '../../../src/compose/apply.ts';
import { composeFile } from '../../../src/compose/output/compose-file.ts';
import type { Workload } from '../../../src/compose/output/output.ts';
import { containersOf } from '../../../src/manifest/containers.ts';
import type { Pod } from '../../../src/manifest/manifest.ts';
import { podOf, type WorkloadKind } from '../../../src/manifest/workload.ts';
import { anyCase } from './any-workload.ts';

type Service = {
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly healthcheck?: unknown;
  readonly mem_limit?: string;
};
type File = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
};

const options = { objects: { configMaps: new Map(), secrets: new Map() }, pauseImage: 'outrigger/pause:0.1.0' };

function fileOf(workload: Workload, additions: readonly Addition[] = []): File {
  const { text } = composeFile(workload, additions, options).files[0]!;
  // As Compose reads it, which is how anybody reads it.
  const file = parse(text, { version: '1.1' });
  expect(parse(text)).toEqual(file);
  return file as File;
}

const podIn = (workload: Workload) => podOf(workload.kind as WorkloadKind, workload, 'web') as unknown as Pod;

test('every container is a service that joins the network of pause, which depends on nobody', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const { pause, ...others } = fileOf(workload, additions).services;
      expect(pause).not.toHaveProperty('depends_on');
      expect(pause).not.toHaveProperty('network_mode');
      expect(Object.keys(others)).toEqual(containersOf(podIn(applied(workload, additions))).map(({ name }) => name));
      for (const { network_mode, depends_on } of Object.values(others)) {
        expect(network_mode).toBe('service:pause');
        expect(depends_on).toHaveProperty('pause', { condition: 'service_started' });
      }
    }),
    { numRuns: 60 },
  );
});

test('nobody waits for what comes later, or for the health of who cannot be asked', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const { services } = fileOf(workload, additions);
      const names = Object.keys(services);
      for (const [name, { depends_on = {} }] of Object.entries(services))
        for (const [before, { condition }] of Object.entries(depends_on)) {
          expect(names.indexOf(before)).toBeLessThan(names.indexOf(name));
          expect(condition === 'service_healthy' && !services[before]!.healthcheck).toBe(false);
        }
    }),
    { numRuns: 60 },
  );
});

test('every named volume is declared, and mounted by pause', () => {
  assert(
    property(anyCase(), ({ workload, additions }) => {
      const { services, volumes = {} } = fileOf(workload, additions);
      const mounted = Object.values(services).flatMap((service) =>
        (service.volumes ?? []).map((each) => each.split(':')[0]!),
      );
      const named = mounted.filter((source) => !source.startsWith('.'));
      expect(named.filter((source) => !Object.hasOwn(volumes, source))).toEqual([]);
      const inMemory = Object.keys(volumes).filter((name) => Object.hasOwn(volumes[name] as object, 'driver_opts'));
      const owned = (services.pause!.volumes ?? []).map((each) => each.split(':')[0]);
      expect([...owned, ...inMemory].toSorted()).toEqual(Object.keys(volumes).toSorted());
    }),
    { numRuns: 60 },
  );
});

test('variables and words are what the kubelet would give, once Compose has taken its dollars', () => {
  assert(
    property(anyCase(['Pod']), ({ workload }) => {
      const { services } = fileOf(workload);
      for (const { name, container } of containersOf(podIn(workload))) {
        const { environment = {}, command } = services[name]!;
        const single = (text: string) => text.replaceAll('$$', '$');
        const plain = [...(container.env ?? [])].filter(({ value }) => !value?.includes('$'));
        const last = new Map(plain.map((each) => [each.name, each.value ?? '']));
        for (const [key, value] of last)
          if (![...(container.env ?? [])].some((each) => each.name === key && each.value?.includes('$')))
            expect(single(environment[key]!)).toBe(value);
        if (container.args?.every((word) => !word.includes('$'))) expect(command).toEqual([...container.args]);
      }
    }),
    { numRuns: 100 },
  );
});

test.for([
  ['128Mi', '128m'],
  ['1Gi', '1024m'],
  ['100M', '100000000b'],
  ['1500m', '2b'],
] as const)('a memory limit of %s is %s', ([memory, limit]) => {
  const container = { name: 'app', image: 'app', resources: { limits: { memory } } };
  const workload = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [container] } };
  expect(fileOf(workload).services.app!.mem_limit).toBe(limit);
});

test('of more volumes than pause has directories for, the others are said', () => {
  const volumes = Array.from({ length: 18 }, (_, index) => ({ name: `v${index}`, emptyDir: {} }));
  const spec = { containers: [{ name: 'app', image: 'app' }], volumes };
  const { notes } = composeFile({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }, [], options);
  expect(notes).toEqual([
    'volumes[v16]: only root may write to it: more than 16 volumes',
    'volumes[v17]: only root may write to it: more than 16 volumes',
  ]);
});
