// Seeing and signalling processes of other containers needs a process namespace that they share.

import type { ContainerEntry } from '../../manifest/containers.ts';
import { wordPath } from '../../manifest/ports.ts';
import { defineRule, type Subject } from '../rule.ts';

export const sharedProcesses = defineRule({
  name: 'shared-processes',
  severity: 'warning',
  *check(subject) {
    const { spec } = subject.manifest.pod;
    if (spec?.shareProcessNamespace || spec?.hostPID) return;
    for (const entry of subject.containers) {
      if (signals(subject, entry))
        yield {
          path: wordPath(subject.parameters.get(entry.name), 'notify') ?? entry.path,
          message: 'signals cannot reach another container without spec.shareProcessNamespace: true',
          severity: 'error',
        };
      if (entry.role === 'monitor')
        yield {
          path: [...entry.path, 'name'],
          message: 'sees its own processes only without spec.shareProcessNamespace: true',
        };
    }
  },
});

/** Whether it is told to send signals. */
export function signals({ parameters }: Subject, entry: ContainerEntry): boolean {
  const { effective } = parameters.get(entry.name) ?? {};
  return (
    (entry.role === 'config-reloader' || entry.role === 'git-sync') &&
    [effective?.notify?.value].flat().includes('signal')
  );
}
