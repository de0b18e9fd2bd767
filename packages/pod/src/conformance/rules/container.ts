// What a container with a strict securityContext and limits gives: nothing to write, nobody to be, little memory.

import { wait } from '@outrigger/core';
import type { Bench } from '../bench.ts';
import { limitMemory, sayLimit } from '../memory-limit.ts';
import { Broken, defineRule, demand, Skip } from '../rule.ts';
import { namesState } from '../subject.ts';
import {
  asUnknownUser,
  type Surroundings,
  withFullDisk,
  withoutCapabilities,
  withReadOnlyRoot,
} from '../surroundings.ts';

export const readOnlyRoot = defineRule({
  id: 'container/read-only-root',
  title: 'Starts, serves and stops on a read-only root file system; only /tmp and the scratch directory are writable',
  reason: 'readOnlyRootFilesystem: true is what most clusters demand',
  section: 'life',
  severity: 'error',
  check: (bench) => livesInside(bench, withReadOnlyRoot(bench.place.scratch)),
});

export const unknownUser = defineRule({
  id: 'container/unknown-user',
  title: 'Starts, serves and stops as a user without a name and without a writable home',
  reason: 'runAsUser may be any number: OpenShift draws one for each namespace, and no passwd file knows it',
  section: 'life',
  severity: 'error',
  check: (bench) => livesInside(bench, asUnknownUser),
});

export const noCapabilities = defineRule({
  id: 'container/no-capabilities',
  title: 'Starts, serves and stops with all capabilities dropped and no_new_privs',
  reason: 'Pod Security "restricted" demands both',
  section: 'life',
  severity: 'error',
  check: (bench) => livesInside(bench, withoutCapabilities),
});

async function livesInside(bench: Bench, inside: Surroundings): Promise<void> {
  const sidecar = await bench.serve({ inside });
  await sidecar.answers('/livez');
  sidecar.signal('SIGTERM');
  await sidecar.endsWith([0]);
}

/** As the sidecars of the toolkit have it in their examples. */
const memoryBytes = 96 * 1024 * 1024;

export const memoryLimit = defineRule({
  id: 'container/memory-limit',
  title: `Starts and answers 500 requests under ${sayLimit(memoryBytes)}`,
  reason: 'A sidecar is paid for in every Pod; one that reaches its limit is killed, and the application loses it',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const group = bench.inContainer ? undefined : limitMemory(bench.place.scratch, memoryBytes);
    if (group) bench.defer(() => group[Symbol.asyncDispose]());
    const inside = group?.inside ?? { before: async () => [], engine: [`--memory=${memoryBytes}b`] };
    try {
      const sidecar = await bench.serve({ inside });
      for (let round = 0; round < 50; round++)
        await Promise.all(Array.from({ length: 10 }, () => sidecar.ask('/metrics')));
      await sidecar.answers('/livez');
    } catch (error) {
      if (group?.killed())
        throw new Broken(`a life under ${sayLimit(memoryBytes)}`, 'the kernel killed it: out of memory');
      throw error;
    }
  },
});

export const fullDisk = defineRule({
  id: 'container/full-disk',
  title: 'Stays alive when its volume is full, and says so',
  reason:
    'A restart frees no disk: a sidecar that ends instead is restarted for ever, and takes what still worked with it',
  section: 'life',
  severity: 'error',
  async check(bench) {
    if (!namesState(bench.subject))
      throw new Skip('No argument and no variable names {state}, the directory it writes to');
    const sidecar = await bench.start({ inside: withFullDisk(bench.place.state) });
    await sidecar.answers('/livez');
    await sidecar.until(
      async () => complains(sidecar.stderr) || complains((await sidecar.ask('/readyz?verbose')).text),
      ['a word about it on stderr or at /readyz?verbose', () => 'none'],
    );
    await Promise.race([wait(1_000), sidecar.exited]);
    sidecar.alive('a sidecar that goes on running');
    demand((await sidecar.status('/livez')) === 200, '/livez to stay 200', 'another answer');
  },
});

const complains = (text: string) => /ENOSPC|no space|disk|full|write/i.test(text);
