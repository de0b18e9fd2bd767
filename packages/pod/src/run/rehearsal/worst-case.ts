// Whether the grace period is enough if each container takes all of its time.

import { formatDuration } from '@outrigger/core';
import type { ContainerEntry } from '../../manifest/containers.ts';
import type { SidecarParameters } from '../../manifest/parameters.ts';

export type Warning = { readonly rule: string; readonly message: string };

type Given = {
  readonly containers: readonly ContainerEntry[];
  readonly parameters: ReadonlyMap<string, SidecarParameters>;
  /** In milliseconds. */
  readonly grace: number;
};

/** Of applications only what a preStop hook sleeps is known. Sidecars end one after the other, last started first. */
export function worstCase({ containers, parameters, grace }: Given): Warning[] {
  const apps = containers.filter(({ kind }) => kind === 'app');
  let at = Math.max(0, ...apps.map(({ container }) => (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000));
  const late: string[] = [];
  const short: string[] = [];
  for (const { name } of containers.filter(({ kind }) => kind === 'sidecar').toReversed()) {
    const drain = parameters.get(name)?.values.drainTimeout;
    if (typeof drain !== 'number') continue;
    if (at >= grace) late.push(name);
    else if (at + drain > grace)
      short.push(`${name} would have ${formatDuration(grace - at)} of its --drain-timeout of ${formatDuration(drain)}`);
    at += drain;
  }
  if (late.length > 0) short.push(`${late.join(', ')} would have 2 s to flush`);
  if (short.length === 0) return [];
  const message = `if each took all of its time, ${short.join('; ')}: a grace period of ${formatDuration(at)} would do`;
  return [{ rule: 'stop-time', message }];
}
