// Each Pod manifest that we show is one that people copy: what Kubernetes and Pod Security say, and how we have sidecars run.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { check } from '../../packages/pod/src/check/check.ts';
import { formatFinding } from '../../packages/pod/src/check/format.ts';
import { podmanForm } from '../../packages/pod/src/compose/podman.ts';
import { type ContainerEntry, containersOf } from '../../packages/pod/src/manifest/containers.ts';
import { parseSource } from '../../packages/pod/src/manifest/source.ts';

const root = resolve(import.meta.dirname, '../..');
const manifests = [...globSync('examples/*/*.yaml', { cwd: root }), 'packages/pod/template/pod.yaml'].filter((file) =>
  /^kind: Pod$/m.test(readFileSync(join(root, file), 'utf8')),
);

async function open(file: string, text = readFileSync(join(root, file), 'utf8')) {
  const { findings, workloads } = await check(parseSource(file, text));
  expect(workloads, findings.map(formatFinding).join('\n')).toHaveLength(1);
  const { manifest, parameters } = workloads[0]!;
  return { findings, manifest, parameters, containers: containersOf(manifest.pod), spec: manifest.pod.spec! };
}

const findingsOf = ({ findings }: Awaited<ReturnType<typeof open>>, without: readonly string[] = []) =>
  findings
    // Parameters of members that are not chosen may stay, so that choosing another one is one change.
    .filter(({ rule, message }) => !message.includes('has no effect without') && !without.includes(rule))
    .map(formatFinding);

/** Those of ours, and those that somebody wrote with our library. */
const isSidecar = ({ kind }: ContainerEntry) => kind === 'sidecar';

test('there are manifests to look at', () => {
  expect(manifests.map(dirname)).toEqual(expect.arrayContaining(['examples/billing', 'packages/pod/template']));
});

describe.each(manifests)('%s', (file) => {
  test('Kubernetes accepts it, also in a namespace with Pod Security "restricted"', async () => {
    expect(findingsOf(await open(file))).toEqual([]);
  });

  test('its form for podman is accepted as well, and has every sidecar with a probe of its own', async () => {
    const native = await open(file);
    const { text } = podmanForm(native.manifest, native.parameters);
    const plain = await open(`${file} --form plain`, text);
    // The plain form says on stderr that it does not complete.
    expect(findingsOf(plain, ['job-sidecars'])).toEqual([]);
    expect(plain.containers.filter(isSidecar)).toEqual([]);
    const apps = plain.containers.filter(({ kind }) => kind === 'app').map(({ name }) => name);
    expect(apps).toEqual(expect.arrayContaining(native.containers.filter(isSidecar).map(({ name }) => name)));
    for (const { container, role } of plain.containers)
      if (role) expect(container.livenessProbe?.exec?.command?.slice(0, 2)).toEqual(['sidecar', 'health']);
  });

  test('the Pod gives its containers nothing that they do not need', async () => {
    const { spec, containers, parameters } = await open(file);
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.enableServiceLinks).toBe(false);
    const signalling = [...parameters.values()].some(({ values }) => [values.notify].flat().includes('signal'));
    const seeing = containers.some(({ role }) => role === 'monitor');
    expect(spec.shareProcessNamespace ?? false).toBe(signalling || seeing);
    for (const volume of spec.volumes ?? [])
      if (volume.emptyDir) expect(volume.emptyDir.sizeLimit, volume.name).toBeTruthy();
  });

  test('its grace period has room for the drains of all sidecars, one after the other, and 10 s for the application', async () => {
    const { spec, containers, parameters } = await open(file);
    const seconds = (name: string) => Number(parameters.get(name)?.values.drainTimeout ?? 20_000) / 1000;
    const drains = containers.filter(isSidecar).reduce((sum, { name }) => sum + seconds(name), 0);
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drains + 10);
  });

  test('every container has its resources, a memory limit and a root that it can not write to', async () => {
    for (const { name, container } of (await open(file)).containers) {
      expect(container.resources?.requests, name).toMatchObject({ cpu: expect.anything(), memory: expect.anything() });
      expect(container.resources?.limits?.memory, name).toBeDefined();
      // A limit on CPU would make a sidecar late when it has much to do at once.
      expect(container.resources?.limits?.cpu, name).toBeUndefined();
      expect(container.securityContext?.readOnlyRootFilesystem, name).toBe(true);
    }
  });

  test('every sidecar is probed at its admin port and told that the Pod goes', async () => {
    const sidecars = (await open(file)).containers.filter(isSidecar);
    expect(sidecars.length).toBeGreaterThan(0);
    for (const { name, container } of sidecars) {
      const paths = [container.startupProbe, container.readinessProbe, container.livenessProbe].map(
        (probe) => probe?.httpGet?.path,
      );
      expect([name, ...paths]).toEqual([name, '/startupz', '/readyz', '/livez']);
      expect(container.lifecycle?.preStop?.exec?.command, name).toEqual(['sidecar', 'prestop']);
    }
  });
});
