import { expect, test } from 'vitest';
import { containersOf } from '../../src/manifest/containers.ts';
import { environmentOf } from '../../src/manifest/environment.ts';
import { openManifest } from '../../src/manifest/manifest.ts';
import { parseSource } from '../../src/manifest/source.ts';
import { podText, type TestContainer, type TestPod } from '../write-pod.ts';

function environment(container: Omit<TestContainer, 'name'>, rest: TestPod = {}) {
  const source = parseSource('pod.yaml', podText({ ...rest, apps: [{ name: 'app', ...container }] }));
  const manifest = openManifest(source, source.documents[0]!);
  return environmentOf(containersOf(manifest.pod)[0]!, { ...manifest, identity: { uid: 'u-1' } });
}

const configMaps = { settings: { PORT: '8080', 'not-a-name': 'x' } };
const secrets = { keys: { TOKEN: 's3cret' } };

test('each variable may refer to those before it, also to those of envFrom', () => {
  const { values } = environment(
    {
      envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'S_', secretRef: { name: 'keys' } }],
      env: [
        { name: 'URL', value: 'http://127.0.0.1:$(PORT)' },
        { name: 'EARLY', value: '$(LATE)' },
        { name: 'LATE', value: 'late' },
        { name: 'PORT', value: '9090' },
        { name: 'ESCAPED', value: '$$(PORT)' },
      ],
    },
    { configMaps, secrets },
  );
  expect(values).toMatchObject({
    PORT: '9090',
    S_TOKEN: 's3cret',
    URL: 'http://127.0.0.1:8080',
    EARLY: '$(LATE)',
    LATE: 'late',
    ESCAPED: '$(PORT)',
  });
});

test('values come from keys of ConfigMaps and Secrets, and optional ones may be absent', () => {
  const { values, unresolved } = environment(
    {
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'PORT' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'keys', key: 'TOKEN' } } },
        { name: 'C', valueFrom: { secretKeyRef: { name: 'keys', key: 'ABSENT', optional: true } } },
        { name: 'D', valueFrom: { configMapKeyRef: { name: 'absent', key: 'x', optional: true } } },
      ],
    },
    { configMaps, secrets },
  );
  expect(values).toEqual({ A: '8080', B: 's3cret' });
  expect(unresolved).toEqual([]);
});

test('the downward API knows the Pod and the resources of the container', () => {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const resource = (name: string, resource: string, divisor?: string) => ({
    name,
    valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } },
  });
  const { values } = environment(
    {
      resources: { limits: { memory: '128Mi', cpu: '1500m' }, requests: { cpu: '100m' } },
      env: [
        field('NAME', 'metadata.name'),
        field('NAMESPACE', 'metadata.namespace'),
        field('UID', 'metadata.uid'),
        field('LABEL', "metadata.labels['app.kubernetes.io/name']"),
        field('IP', 'status.podIP'),
        resource('MEMORY', 'limits.memory', '1Mi'),
        resource('CPU', 'limits.cpu'),
        resource('MILLIS', 'requests.cpu', '1m'),
      ],
    },
    { labels: { 'app.kubernetes.io/name': 'billing' } },
  );
  expect(values).toEqual({
    NAME: 'test',
    NAMESPACE: 'default',
    UID: 'u-1',
    LABEL: 'billing',
    IP: '127.0.0.1',
    MEMORY: '128',
    CPU: '2',
    MILLIS: '100',
  });
});

test('what cannot be resolved is named with its place', () => {
  const { unresolved } = environment(
    {
      envFrom: [{ secretRef: { name: 'absent' } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'PROT' } } },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.nam' } } },
      ],
    },
    { configMaps },
  );
  expect(unresolved.map(({ path, reason }) => [path.slice(3).join('.'), reason])).toEqual([
    ['envFrom.0.secretRef', 'Secret "absent" is not in this file'],
    ['env.0.valueFrom.configMapKeyRef.key', 'ConfigMap "settings" has no key "PROT"'],
    ['env.1.valueFrom.fieldRef.fieldPath', 'the downward API has no "metadata.nam"'],
  ]);
});
