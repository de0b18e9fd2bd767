// The form of a manifest for `podman kube play`: the plain form, and what is podman's own. The toolkit's sidecars are probed
// by a command of their own image.

import { type Document, isMap, isSeq, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { type ContainerEntry, containersOf, type ProbeKind, probeKinds, probeOf } from '../manifest/containers.ts';
import type { Manifest, Pod } from '../manifest/manifest.ts';
import type { SidecarParameters } from '../manifest/parameters.ts';
import { formatPath, type Path } from '../manifest/path.ts';
import { inTemplate, templatePath } from '../manifest/workload.ts';
import { type Form, makeOrdinary, printManifest } from './plain.ts';
import { unfold } from './unfold.ts';

const words: Readonly<Record<ProbeKind, string>> = { startup: 'startup', liveness: 'live', readiness: 'ready' };

export function podmanForm(manifest: Manifest, parameters: ReadonlyMap<string, SidecarParameters>): Form {
  const { kind: workload, document } = manifest;
  const { yaml } = document;
  const containers = containersOf(manifest.pod);
  unfold(yaml);
  const probes = containers.flatMap((entry) => {
    const node = yaml.getIn(inTemplate(workload, entry.path)) as YAMLMap;
    return probeKinds.flatMap((kind) =>
      commandProbe(entry, { yaml, node, kind, parameters: parameters.get(entry.name) }),
    );
  });
  for (const entry of containers) nameNamespace(yaml, inTemplate(workload, entry.path), manifest.pod);
  // Last, since entries go by where the containers stand.
  const order = makeOrdinary(manifest);
  // A controller says itself what its Pods do.
  const notes = [...order, ...probes, ...(workload === 'Pod' ? restartOnFailure(yaml, containers) : [])];
  dropAnnotations(yaml, templatePath(workload));
  return { text: printManifest(manifest), notes };
}

/** podman runs an ordinary init container again and again under Always, which is what an absent policy means. */
function restartOnFailure(yaml: Document.Parsed, containers: readonly ContainerEntry[]): string[] {
  if (yaml.hasIn(['spec', 'restartPolicy']) || !containers.some(({ kind }) => kind === 'init')) return [];
  yaml.setIn(['spec', 'restartPolicy'], 'OnFailure');
  return ['spec.restartPolicy: OnFailure, because podman runs an init container for ever under Always'];
}

/** Those for `outrigger run` mean nothing elsewhere, and podman 4.3 refuses an annotation of over 63 characters. */
function dropAnnotations(yaml: Document.Parsed, template: readonly string[]): void {
  const place = [...template, 'metadata', 'annotations'];
  const annotations = yaml.getIn(place);
  if (!isMap(annotations)) return;
  annotations.items = annotations.items.filter(({ key }) => !String(key).startsWith('outrigger.dev/'));
  if (annotations.items.length === 0) yaml.deleteIn(place);
}

/** podman has no namespaces, and 4.3 refuses who asks for one. */
function nameNamespace(yaml: Document.Parsed, container: Path, { metadata }: Pod): void {
  const variables = yaml.getIn([...container, 'env']);
  if (!isSeq(variables)) return;
  for (const variable of variables.items) {
    if (!isMap(variable) || variable.getIn(['valueFrom', 'fieldRef', 'fieldPath']) !== 'metadata.namespace') continue;
    variable.delete('valueFrom');
    variable.set('value', metadata?.namespace ?? 'default');
  }
}

type ProbeOf = {
  readonly yaml: Document.Parsed;
  readonly node: YAMLMap;
  readonly kind: ProbeKind;
  readonly parameters: SidecarParameters | undefined;
};

/** podman asks over HTTP or TCP by running curl or nc inside the container, which few images have. */
function commandProbe(entry: ContainerEntry, { yaml, node, kind, parameters }: ProbeOf): string[] {
  const probe = probeOf(entry.container, kind);
  const field = `${kind}Probe`;
  const asked = (['httpGet', 'tcpSocket', 'grpc'] as const).find((each) => probe?.[each]);
  if (!probe || !asked) return [];
  if (!entry.role) {
    const note = `${field} is left out: ${asked} needs a program inside the container, use exec`;
    node.delete(field);
    node.commentBefore = [node.commentBefore, ` ${note}`].filter(Boolean).join('\n');
    return [`${formatPath(entry.path)}: ${entry.name}: ${note}`];
  }
  const command = ['sidecar', 'health', wordFor(kind, probe.httpGet?.path), ...adminFlags(parameters)];
  const exec = yaml.createPair('exec', { command }) as Pair<Scalar, YAMLMap>;
  (exec.value!.get('command') as YAMLSeq).flow = true;
  const probeNode = node.get(field) as YAMLMap;
  const index = probeNode.items.findIndex(({ key }) => String(key) === asked);
  probeNode.items[index] = exec;
  return [];
}

/** The path says what is asked; one that is not a probe's leaves it to the kind. */
const wordFor = (kind: ProbeKind, path = '') =>
  ({ '/livez': 'live', '/healthz': 'live', '/readyz': 'ready', '/startupz': 'startup' })[path.split('?')[0]!] ??
  words[kind];

/** The words of the program read its environment, but not the flags that the container was started with. */
function adminFlags(parameters: SidecarParameters | undefined): string[] {
  return (['adminAddress', 'config'] as const).flatMap((key) => {
    const given = parameters?.effective[key];
    return given?.source.startsWith('-') ? [given.source, String(given.value)] : [];
  });
}
