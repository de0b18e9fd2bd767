// Right workloads of all kinds, written in any way, and right lists of sidecars for them.

import { stringify } from 'yaml';
import { type WorkloadKind, workloadKinds } from '../../src/manifest/workload.ts';
import { blockText, type Choose, type Plain } from './edit/manifest-text.ts';

type Mapping = { [field: string]: Plain };
/** Of several shapes: what one of them lacks, TypeScript takes for undefined. */
const plain = (...values: Mapping[]): Plain => values;

export const versions: Readonly<Record<WorkloadKind, string>> = {
  Pod: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
};

export type AnyWorkload = {
  readonly kind: WorkloadKind;
  readonly value: Mapping;
  readonly apps: readonly string[];
  readonly hasSetup: boolean;
  readonly hasConfig: boolean;
};

export function anyWorkload(choose: Choose): AnyWorkload {
  const kind = choose.of(...workloadKinds);
  const apps = choose.chance(3) ? ['app', 'other'] : ['app'];
  const hasSetup = choose.chance(2);
  const hasConfig = choose.chance(2);
  const template = {
    metadata: metadataOf(choose),
    spec: specOf(choose, { kind, apps, hasSetup, hasConfig }),
  };
  const head = { apiVersion: versions[kind], kind, metadata: { name: 'web' } };
  return { kind, apps, hasSetup, hasConfig, value: around(kind, head, template) };
}

function around(
  kind: WorkloadKind,
  head: Mapping & { metadata: Mapping },
  template: { metadata: Mapping; spec: Mapping },
): Mapping {
  if (kind === 'Pod') return { ...head, metadata: { ...template.metadata, ...head.metadata }, spec: template.spec };
  if (kind === 'CronJob') return { ...head, spec: { schedule: '@daily', jobTemplate: { spec: { template } } } };
  if (kind === 'Job') return { ...head, spec: { template } };
  const selector = { matchLabels: { app: 'web' } };
  return { ...head, spec: { ...(kind === 'StatefulSet' && { serviceName: 'web' }), selector, template } };
}

const metadataOf = (choose: Choose): Mapping => ({
  labels: { app: 'web' },
  ...(choose.chance(2) && { annotations: choose.of<Plain>(null, {}, { note: 'a: b\n# c\n' }) }),
});

type Shape = Omit<AnyWorkload, 'value'>;

function specOf(choose: Choose, { kind, apps, hasSetup, hasConfig }: Shape): Mapping {
  const nothing = () => choose.of<Plain>(null, []);
  const job = kind === 'Job' || kind === 'CronJob';
  return {
    ...(job && { restartPolicy: choose.of('Never', 'OnFailure') }),
    ...(choose.chance(3) && { terminationGracePeriodSeconds: choose.of(10, 300) }),
    ...(choose.chance(3) && { securityContext: choose.of<Plain>({ runAsUser: 1000 }, { runAsUser: 0 }, {}) }),
    ...(choose.chance(4) && { shareProcessNamespace: true }),
    ...(hasSetup
      ? { initContainers: [{ name: 'setup', image: 'setup:1' }] }
      : choose.chance(2) && { initContainers: nothing() }),
    containers: apps.map((name) => ({
      name,
      image: `${name}:1`,
      ...(choose.chance(2) && { args: ['--text', choose.of('a b', 'x: y', '0644', 'on', '# no')] }),
      ...(choose.chance(3) && name === 'app' && { ports: [{ containerPort: choose.of(8080, 9410) }] }),
      ...(choose.chance(3) && { securityContext: { runAsUser: choose.of(0, 1000, 2000), runAsGroup: 1000 } }),
      ...(hasConfig
        ? { volumeMounts: [{ name: 'config', mountPath: '/etc/app' }] }
        : choose.chance(2) && { volumeMounts: nothing() }),
    })),
    ...(hasConfig
      ? { volumes: [{ name: 'config', configMap: { name: 'web' } }] }
      : choose.chance(2) && { volumes: nothing() }),
  };
}

/** A file in which the workload is the only one. */
export function textOf({ value }: AnyWorkload, choose: Choose): string {
  const body = choose.chance(6)
    ? `${JSON.stringify(value, null, choose.of<string | number>(0, 2, 4, '\t'))}\n`
    : blockText(value, choose);
  const before = choose.of(
    '',
    '',
    '---\n',
    '# c\n\n---\n',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n---\n',
  );
  const after = choose.of('', '', '---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n', '# end\n');
  const all = (before + body + after).replaceAll('\n', choose.of('\n', '\n', '\r\n'));
  return choose.chance(4) ? all.replace(/\r?\n$/, '') : all;
}

export function anyList(choose: Choose, workload: AnyWorkload): { readonly value: Mapping; readonly text: string } {
  const count = 1 + choose.upTo(3);
  const sidecars = Array.from({ length: count }, (_, index) => anySidecar(choose, index, workload));
  const value: Mapping = {
    ...(choose.chance(3) && { image: choose.of<Plain>({ registry: 'registry.example' }, { tag: '1.2.3' }, {}) }),
    sidecars,
  };
  return { value, text: stringify(value, { collectionStyle: choose.of('any', 'flow', 'block') }) };
}

type Make = (choose: Choose, index: number, workload: AnyWorkload) => Mapping;

const tls = { tlsCertificateFile: ['/tls/tls.crt'], tlsKeyFile: ['/tls/tls.key'] };

const kinds: Readonly<Record<string, Make>> = {
  proxy: (choose, index) => ({
    role: 'proxy',
    parameters: { listenAddress: `0.0.0.0:${8443 + index}`, ...tls, ...(choose.chance(3) && { hsts: '365d' }) },
    mounts: [{ secret: choose.of('tls', 'web.tls'), path: '/tls' }],
  }),
  logShipper: (choose, index, workload) => ({
    role: 'log-shipper',
    parameters: {
      sourceFilePaths: ['/logs/*.log', choose.of('/logs/$(X)', 'a b')],
      ...(choose.chance(2) && { stateDirectory: '/x' }),
    },
    share: [share(choose, index, workload, '/logs')],
  }),
  adapter: (choose) => ({
    role: 'adapter',
    parameters: {
      target: 'http://127.0.0.1:8080/',
      rulesFile: '/rules/rules.yaml',
      drainTimeout: choose.of('1s', '20s'),
    },
    mounts: [{ configMap: 'rules', path: '/rules' }],
  }),
  gitSync: (choose, index, workload) => ({
    role: 'git-sync',
    parameters: { repo: 'https://git.example/x', root: '/git', ...(choose.chance(2) && { period: '1m' }) },
    share: [share(choose, index, workload, '/git')],
  }),
  configReloader: (_, __, { hasConfig }) => ({
    role: 'config-reloader',
    parameters: { watch: ['/etc/web'], notify: ['signal'], notifySignalProcess: 'app' },
    mounts: plain(hasConfig ? { volume: 'config', path: '/etc/web' } : { configMap: 'web', path: '/etc/web' }),
  }),
  monitor: () => ({ role: 'monitor' }),
  other: (choose) => ({
    image: 'example/rates:1',
    parameters: { from: 'https://x', labels: { b: 1, a: 'two' } },
    ...(choose.chance(2) && {
      mounts: plain({ emptyDir: '1Mi', path: '/tmp' }, { persistentVolumeClaim: 'disk', path: '/disk' }),
    }),
  }),
};

function anySidecar(choose: Choose, index: number, workload: AnyWorkload): Mapping {
  const made = choose.of(...Object.values(kinds))(choose, index, workload);
  return {
    ...made,
    name: `sidecar-${index}`,
    ...(choose.chance(4) && { resources: { requests: { memory: choose.of('64Mi', '200Mi') }, limits: { cpu: 1 } } }),
    ...(workload.hasSetup && choose.chance(3) && { after: 'setup' }),
  };
}

const share = (choose: Choose, index: number, { apps }: AnyWorkload, path: string): Mapping => ({
  name: `share-${index}`,
  path,
  at: `/shared/${index}`,
  ...(apps.length > 1 && { with: choose.of<Plain>('app', ['app', 'other'], []) }),
  ...(choose.chance(2) && { writer: choose.of('application', 'sidecar') }),
  ...(choose.chance(3) && { sizeLimit: '64Mi' }),
});
