// With all capabilities dropped only the same user may send a signal.

import { wordPath } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';
import { signals } from './shared-processes.ts';

export const signalUser = defineRule({
  name: 'signal-user',
  severity: 'warning',
  *check(subject) {
    const { manifest, containers, parameters } = subject;
    const userOf = (entry: (typeof containers)[number]) =>
      entry.container.securityContext?.runAsUser ?? manifest.pod.spec?.securityContext?.runAsUser;
    for (const entry of containers) {
      const user = userOf(entry);
      if (user === undefined || user === 0 || !signals(subject, entry)) continue;
      const others = containers.filter(
        (each) => each.kind === 'app' && !each.role && ![user, undefined].includes(userOf(each)),
      );
      for (const other of others)
        yield {
          path: wordPath(parameters.get(entry.name), 'notify') ?? entry.path,
          message: `runs as user ${user} and may not signal ${other.name}, which runs as user ${userOf(other)}`,
        };
    }
  },
});
