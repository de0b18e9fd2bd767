// Workloads of all kinds, and additions to them as compose makes them.

import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  oneof,
  option,
  record,
  string,
  tuple,
  uniqueArray,
} from 'fast-check';
import type { Addition, Place } from '../../../src/compose/addition.ts';
import { applied, lookUp } from '../../../src/compose/apply.ts';
import type { Workload } from '../../../src/compose/output/output.ts';
import { templatePath, type WorkloadKind, workloadKinds } from '../../../src/manifest/workload.ts';
import { versions } from '../any-composition.ts';

export type Case = { readonly workload: Workload; readonly additions: readonly Addition[] };

const added = ['proxy', 'log-shipper', 'adapter', 'git-sync', 'config-reloader', 'monitor'];
const text = oneof(
  string({ unit: 'grapheme' }),
  constantFrom('$(HOME) $$ "\'`\\', 'a\nb\r\n\tc\u2028\u0085\u007f', '{"a": 1}', '0x1', 'null', ''),
);
const key = constantFrom('a', 'example.com/a', 'x~y', 'outrigger.dev/try', 'namespace', 'in', 'a b');
const optional = <T>(arbitrary: Arbitrary<T>) => option(arbitrary, { nil: undefined });

const mounts = (paths: readonly string[]) =>
  uniqueArray(
    record({ name: constantFrom('data', 'logs'), mountPath: constantFrom(...paths), readOnly: optional(boolean()) }),
    {
      selector: ({ mountPath }) => mountPath,
      maxLength: 3,
    },
  );

const container = (names: readonly string[], paths: readonly string[]) =>
  record(
    {
      name: constantFrom(...names),
      image: constantFrom('example/app:1', 'outrigger/proxy:0.1.0'),
      restartPolicy: constant('Always'),
      args: array(text, { maxLength: 3 }),
      env: array(record({ name: constantFrom('A', 'B_C'), value: text }), { maxLength: 2 }),
      ports: array(record({ containerPort: integer({ min: 1, max: 65535 }), name: constantFrom('http', 'admin') }), {
        maxLength: 2,
      }),
      startupProbe: record({
        httpGet: record({
          path: constant('/startupz'),
          port: oneof(integer({ min: 1, max: 65535 }), constant('http')),
        }),
        periodSeconds: integer({ min: 1, max: 60 }),
      }),
      resources: record({
        limits: dictionary(constantFrom('cpu', 'memory', 'example.com/gpu'), constantFrom<unknown>('64Mi', 1)),
      }),
      securityContext: record({
        allowPrivilegeEscalation: boolean(),
        capabilities: record({ drop: constant(['ALL']) }),
      }),
      volumeMounts: mounts(paths),
    },
    { requiredKeys: ['name', 'image'] },
  );

const containers = (names: readonly string[], minLength: number) =>
  uniqueArray(container(names, ['/data', '/var/log/app', '/']), {
    selector: ({ name }) => name,
    minLength,
    maxLength: 3,
  });

const volumes = (names: readonly string[]) =>
  uniqueArray(
    oneof(
      record({ name: constantFrom(...names), emptyDir: record({ medium: constant('Memory') }, { requiredKeys: [] }) }),
      record({ name: constantFrom(...names), configMap: record({ name: constant('settings'), optional: boolean() }) }),
    ),
    { selector: ({ name }) => name, maxLength: 3 },
  );

/** A list that is there, empty, nothing, or not there. */
const sometimes = <T>(list: Arbitrary<T[]>): Arbitrary<T[] | null | undefined> =>
  oneof(list, constantFrom<null | undefined>(null, undefined), constant<T[]>([]));

const template = record({
  metadata: record({ labels: dictionary(key, constant('x')), annotations: optional(dictionary(key, text)) }),
  spec: record({
    initContainers: sometimes(containers(['setup', 'migrate', 'old-sidecar'], 1)),
    containers: containers(['app', 'worker'], 1),
    volumes: sometimes(volumes(['data', 'tmp'])),
    securityContext: optional(record({ runAsUser: integer({ min: 1, max: 65535 }) })),
  }),
});

const workload = (kinds: readonly WorkloadKind[]) =>
  tuple(constantFrom(...kinds), template).map(([kind, { metadata, spec }]): Workload => {
    const pod = JSON.parse(JSON.stringify({ metadata, spec }));
    const head = { apiVersion: versions[kind], kind, metadata: { name: 'web' } };
    if (kind === 'Pod') return { ...head, metadata: { ...pod.metadata, name: 'web' }, spec: pod.spec };
    if (kind === 'CronJob') return { ...head, spec: { schedule: '@daily', jobTemplate: { spec: { template: pod } } } };
    return { ...head, spec: { template: pod } };
  });

const names = (value: unknown, list: Place) =>
  ((lookUp(value, list) ?? []) as { name: string }[]).map(({ name }) => name);

/** One after the other: each can refer to those before it, and none adds what is there. */
type Make = (state: Workload, at: Place) => Arbitrary<Addition | undefined>;

const addContainer: Make = (state, at) => {
  const list = [...at, 'spec', 'initContainers'];
  const before = names(state, list);
  const free = added.filter((name) => !before.includes(name));
  if (free.length === 0) return constant(undefined);
  const places = constantFrom<'start' | 'end' | { after: string }>(
    'start',
    'start',
    'end',
    ...before.map((after) => ({ after })),
  );
  return record({ item: container(free, ['/data', '/logs']), at: places }).map(({ item, at }) => ({
    list,
    key: 'name',
    item,
    at,
  }));
};

const addPlain: Make = (state, at) => {
  const list = [...at, 'spec', 'containers'];
  const free = ['plain-1', 'plain-2'].filter((name) => !names(state, list).includes(name));
  if (free.length === 0) return constant(undefined);
  return record({ item: container(free, ['/data']), at: constantFrom('start', 'end') }).map((rest) => ({
    list,
    key: 'name',
    ...rest,
  }));
};

const addVolume: Make = (state, at) => {
  const list = [...at, 'spec', 'volumes'];
  const free = ['logs', 'state', 'tls'].filter((name) => !names(state, list).includes(name));
  if (free.length === 0) return constant(undefined);
  return record({ item: volumes(free).filter(({ length }) => length > 0), at: constantFrom('start', 'end') }).map(
    ({ item, at }) => ({ list, key: 'name', item: item[0]!, at }),
  );
};

const addMount: Make = (state, at) =>
  constantFrom('containers', 'initContainers').chain((field) => {
    const containers = names(state, [...at, 'spec', field]);
    if (containers.length === 0) return constant(undefined);
    return constantFrom(...containers).chain((name) => {
      const list = [...at, 'spec', field, { name }, 'volumeMounts'];
      const taken = ((lookUp(state, list) ?? []) as { mountPath: string }[]).map(({ mountPath }) => mountPath);
      const free = ['/a', '/b/~c', '/d e'].filter((path) => !taken.includes(path));
      if (free.length === 0) return constant(undefined);
      return constantFrom(...free).map(
        (mountPath) => ({ list, key: 'mountPath', item: { name: 'logs', mountPath }, at: 'end' }) as const,
      );
    });
  });

const addField: Make = (state, at) =>
  constantFrom<[Place, string, unknown]>(
    [['spec'], 'shareProcessNamespace', true],
    [['spec', 'securityContext'], 'fsGroup', 65532],
    [['metadata', 'annotations'], 'outrigger.dev/sidecars', 'sidecars:\n  - role: proxy\n'],
    [['metadata', 'annotations'], 'a/b~c', '"'],
  ).map(([map, field, value]) => {
    const place = [...at, ...map];
    return lookUp(state, [...place, field]) === undefined ? { map: place, field, value } : undefined;
  });

const step = (state: Workload, at: Place): Arbitrary<Addition | undefined> =>
  constantFrom(addContainer, addContainer, addPlain, addVolume, addMount, addMount, addField).chain((make) =>
    make(state, at),
  );

function grown(workload: Workload, at: Place, additions: readonly Addition[], count: number): Arbitrary<Case> {
  if (count === 0) return constant({ workload, additions: [...additions, stampAt(at)] });
  return step(applied(workload, additions), at).chain((addition) =>
    grown(workload, at, addition ? [...additions, addition] : additions, count - 1),
  );
}

/** compose always adds it. */
export const stampAt = (at: Place): Addition => ({
  map: [...at, 'metadata', 'annotations'],
  field: 'outrigger.dev/composed',
  value: '{"version":"0.1.0","input":"sha256:0","added":["spec.volumes[logs]"]}',
});

export const anyCase = (kinds: readonly WorkloadKind[] = workloadKinds): Arbitrary<Case> =>
  tuple(workload(kinds), integer({ min: 0, max: 8 })).chain(([value, count]) =>
    grown(value, templatePath(value.kind as WorkloadKind), [], count),
  );
