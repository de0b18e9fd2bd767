// The plain form of a manifest, for podman and clusters that know no native sidecars: sidecars are ordinary containers,
// first in the list, and are probed by a command of their own image. Comments and order of the YAML stay.

import { type Document, isMap, isNode, isSeq, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { type ContainerEntry, containersOf, type ProbeKind, probeKinds, probeOf } from '../manifest/containers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { SidecarParameters } from '../manifest/parameters.ts';
import { formatPath } from '../manifest/path.ts';
import { printDocument } from './keep-style.ts';
import { unfold } from './unfold.ts';

export type PlainForm = {
  readonly text: string;
  /** What is lost or different, one line each. */
  readonly notes: readonly string[];
};

const words: Readonly<Record<ProbeKind, string>> = { startup: 'startup', liveness: 'live', readiness: 'ready' };

export function plainForm(manifest: Manifest, parameters: ReadonlyMap<string, SidecarParameters>): PlainForm {
  const { source, document } = manifest;
  const containers = containersOf(manifest.pod);
  const notes = orderNotes(manifest, containers);
  const { yaml } = document;
  // A node that stands for several places cannot be changed in one of them.
  unfold(yaml);
  for (const entry of containers) {
    const node = yaml.getIn(entry.path) as YAMLMap;
    for (const kind of probeKinds)
      notes.push(...plainProbe(entry, { yaml, node, kind, parameters: parameters.get(entry.name) }));
    // The field makes a sidecar of an init container, and podman waits for ever on one.
    if (entry.kind === 'sidecar') node.delete('restartPolicy');
  }
  moveSidecars(yaml.getIn(['spec']) as YAMLMap, containers);
  notes.push(...restartOnFailure(yaml, containers));
  dropAnnotations(yaml);
  const text = source.documents.map(({ yaml }) => printDocument(yaml, source.text)).join('');
  return { text, notes };
}

function moveSidecars(spec: YAMLMap, containers: readonly ContainerEntry[]): void {
  const initial = spec.get('initContainers');
  const ordinary = spec.get('containers') as YAMLSeq;
  if (!isSeq(initial)) return;
  for (const list of [initial, ordinary]) keepComment(list);
  const isSidecar = (_: unknown, index: number) => containers[index]!.kind === 'sidecar';
  const sidecars = initial.items.filter(isSidecar);
  initial.items = initial.items.filter((item, index) => !isSidecar(item, index));
  ordinary.items.unshift(...sidecars);
  for (const list of [initial, ordinary]) if (isNode(list.items[0])) list.items[0].spaceBefore = false;
  if (initial.items.length === 0) spec.delete('initContainers');
}

/** podman runs an ordinary init container again and again under Always, which is what an absent policy means. */
function restartOnFailure(yaml: Document.Parsed, containers: readonly ContainerEntry[]): string[] {
  if (yaml.hasIn(['spec', 'restartPolicy']) || !containers.some(({ kind }) => kind === 'init')) return [];
  yaml.setIn(['spec', 'restartPolicy'], 'OnFailure');
  return ['spec.restartPolicy: OnFailure, because podman runs an init container for ever under Always'];
}

/** Those for `outrigger run` mean nothing elsewhere, and podman 4.3 refuses an annotation of over 63 characters. */
function dropAnnotations(yaml: Document.Parsed): void {
  const place = ['metadata', 'annotations'];
  const annotations = yaml.getIn(place);
  if (!isMap(annotations)) return;
  annotations.items = annotations.items.filter(({ key }) => !String(key).startsWith('outrigger.dev/'));
  if (annotations.items.length === 0) yaml.deleteIn(place);
}

/** A comment above the first item belongs to the list: it is to stay with the item. */
function keepComment(list: YAMLSeq): void {
  const [first] = list.items;
  if (!isNode(first) || !list.commentBefore) return;
  first.commentBefore = [list.commentBefore, first.commentBefore].filter(Boolean).join('\n');
  list.commentBefore = null;
}

type ProbeOf = {
  readonly yaml: Document.Parsed;
  readonly node: YAMLMap;
  readonly kind: ProbeKind;
  readonly parameters: SidecarParameters | undefined;
};

/** podman asks over HTTP or TCP by running curl or nc inside the container, which few images have. */
function plainProbe(entry: ContainerEntry, { yaml, node, kind, parameters }: ProbeOf): string[] {
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

function orderNotes({ pod }: Manifest, containers: readonly ContainerEntry[]): string[] {
  const notes: string[] = [];
  const firstSidecar = containers.findIndex(({ kind }) => kind === 'sidecar');
  for (const [index, { kind, name, path }] of containers.entries())
    if (kind === 'init' && firstSidecar >= 0 && index > firstSidecar)
      notes.push(`${formatPath(path)}: ${name} runs before all sidecars in the plain form, not beside those above it`);
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (policy !== 'Always' && firstSidecar >= 0)
    notes.push(`spec.restartPolicy: with ${policy} the Pod does not complete in the plain form: its sidecars go on`);
  return notes;
}
