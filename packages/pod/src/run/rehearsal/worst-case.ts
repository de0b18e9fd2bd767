// Whether the time is enough if everybody takes all that he may.

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
  const cut: string[] = [];
  for (const { name } of containers.filter(({ kind }) => kind === 'sidecar').toReversed()) {
    const drain = parameters.get(name)?.values.drainTimeout;
    if (typeof drain !== 'number') continue;
    if (at >= grace) late.push(name);
    else if (at + drain > grace)
      cut.push(`${name} would have ${formatDuration(grace - at)} for its --drain-timeout of ${formatDuration(drain)}`);
    at += drain;
  }
  if (late.length > 0) late.splice(0, late.length, `${late.join(', ')} would have 2s to flush`);
  const parts = [...cut, ...late];
  if (parts.length === 0) return [];
  const message = `if everybody took as long as he may, ${parts.join('; ')}; ${formatDuration(at)} of grace would do`;
  return [{ rule: 'stop-time', message }];
}
