// The plain form of a manifest, for clusters that know no native sidecars (before 1.29): sidecars are ordinary containers,
// first in the list. Comments and order of the YAML stay.

import { isNode, isSeq, type YAMLMap, type YAMLSeq } from 'yaml';
import { type ContainerEntry, containersOf } from '../manifest/containers.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { formatPath } from '../manifest/path.ts';
import { inTemplate } from '../manifest/workload.ts';
import { printDocument } from './keep-style.ts';
import { unfold } from './unfold.ts';

export type Form = {
  readonly text: string;
  /** What is lost or different, one line each. */
  readonly notes: readonly string[];
};

export function plainForm(manifest: Manifest): Form {
  const notes = makeOrdinary(manifest);
  return { text: printManifest(manifest), notes };
}

/** Makes ordinary containers of sidecars, in the document; returns what is different. */
export function makeOrdinary(manifest: Manifest): string[] {
  const containers = containersOf(manifest.pod);
  const notes = orderNotes(manifest, containers);
  const { kind: workload, document } = manifest;
  const { yaml } = document;
  // A node that stands for several places cannot be changed in one of them.
  unfold(yaml);
  // The field makes a sidecar of an init container, and podman waits for ever on one.
  for (const { kind, path } of containers)
    if (kind === 'sidecar') (yaml.getIn(inTemplate(workload, path)) as YAMLMap).delete('restartPolicy');
  moveSidecars(yaml.getIn(inTemplate(workload, ['spec'])) as YAMLMap, containers);
  return notes;
}

export const printManifest = ({ source }: Manifest): string =>
  source.documents.map(({ yaml }) => printDocument(yaml, source.text)).join('');

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

/** A comment above the first item belongs to the list: it is to stay with the item. */
function keepComment(list: YAMLSeq): void {
  const [first] = list.items;
  if (!isNode(first) || !list.commentBefore) return;
  first.commentBefore = [list.commentBefore, first.commentBefore].filter(Boolean).join('\n');
  list.commentBefore = null;
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
