// The downward API: what a container may read about its own Pod.

import { cpus, hostname, totalmem } from 'node:os';
import type { IResourceFieldSelector } from 'kubernetes-models/v1/ResourceFieldSelector';
import type { Container } from './containers.ts';
import type { Pod } from './manifest.ts';
import { parseQuantity } from './quantity.ts';

/** What a cluster would fill in. */
export type Identity = { readonly uid: string };

const address = '127.0.0.1';

/** The value of a fieldRef, or undefined for a path that the downward API does not have. */
export function fieldValue(pod: Pod, path: string, { uid }: Identity): string | undefined {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (subscript) return metadata?.[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata?.name ?? '';
    case 'metadata.namespace':
      return metadata?.namespace ?? 'default';
    case 'metadata.uid':
      return uid;
    case 'metadata.labels':
      return listed(metadata?.labels);
    case 'metadata.annotations':
      return listed(metadata?.annotations);
    case 'spec.nodeName':
      return spec?.nodeName ?? hostname();
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? 'default';
    case 'status.podIP':
    case 'status.podIPs':
    case 'status.hostIP':
    case 'status.hostIPs':
      return address;
    default:
      return undefined;
  }
}

const listed = (map: Readonly<Record<string, string>> = {}) =>
  Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** The value of a resourceFieldRef; a container without a limit sees what the node has. */
export function resourceValue(container: Container, ref: IResourceFieldSelector): string | undefined {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/.exec(ref.resource);
  if (!match) return undefined;
  const [, list, resource] = match as unknown as [string, 'limits' | 'requests', string];
  const { limits = {}, requests = {} } = container.resources ?? {};
  const written = list === 'requests' ? (requests[resource] ?? limits[resource]) : limits[resource];
  const amount = written === undefined ? machine(list, resource) : parseQuantity(String(written));
  const divisor = parseQuantity(String(ref.divisor ?? '1')) || 1;
  return amount === undefined ? undefined : String(Math.ceil(amount / divisor));
}

function machine(list: 'limits' | 'requests', resource: string): number {
  if (list === 'requests') return 0;
  return resource === 'cpu' ? cpus().length : resource === 'memory' ? totalmem() : 0;
}
