// With all capabilities dropped only the same user may send a signal.

import { wordPath } from '../../manifest/ports.ts';
import { defineRule } from '../rule.ts';
import { signals } from './shared-processes.ts';

export const signalUser = defineRule({
  name: 'signal-user',
  severity: 'warning',
  *check(subject) {
    const { manifest, containers, parameters } = subject;
    const userOf = ({ container }: (typeof containers)[number]) =>
      container.securityContext?.runAsUser ?? manifest.pod.spec?.securityContext?.runAsUser;
    for (const entry of containers) {
      if (!signals(subject, entry)) continue;
      const user = userOf(entry) ?? userOfImages;
      if (user === 0) continue;
      const path = wordPath(parameters.get(entry.name), 'notify') ?? entry.path;
      for (const other of containers.filter((each) => each.kind === 'app' && !each.role)) {
        const theirs = userOf(other);
        if (theirs === undefined)
          yield {
            path,
            message: `runs as user ${user} and may signal ${other.name} only if that is the user of its image: runAsUser makes sure`,
          };
        else if (theirs !== user)
          yield {
            path,
            message: `runs as user ${user} and may not signal ${other.name}, which runs as user ${theirs}`,
          };
      }
    }
  },
});

/** Of the toolkit's own images, where the manifest says nothing. */
const userOfImages = 65_532;
